// What the tools really print (gcc 12, Python 3.11, Node 20, rustc 1.7x, javac 17, go 1.2x, TypeScript), and what is found in it.
import { describe, expect, test } from 'vitest'
import { parseOutput } from '../src/compiler-output.js'

/** Each finding as `PATH:LINE:COLUMN severity message [code]`, with the other places that it may be at. */
const found = (output: string): string[] =>
  parseOutput(output.split('\n')).map(({ places, severity, message, code }) => {
    const [at, ...more] = places.map(({ path, line, column }) =>
      [path, line, ...(column === undefined ? [] : [column])].join(':'),
    )
    return `${at} ${severity} ${message}${code === undefined ? '' : ` [${code}]`}${more.length > 0 ? ` or ${more.join(', ')}` : ''}`
  })

describe('parseOutput', () => {
  test('TypeScript, plain and pretty', () => {
    expect(found("src/a.ts(2,14): error TS2322: Type 'string' is not assignable to type 'number'.")).toEqual([
      "src/a.ts:2:14 error Type 'string' is not assignable to type 'number'. [TS2322]",
    ])
    expect(
      found("src/a.ts:2:14 - error TS2322: Type 'string'\n\n2 export const a\n               ~\n\nFound 1 error in src/a.ts:2"),
    ).toEqual(["src/a.ts:2:14 error Type 'string' [TS2322]"])
  })

  test('gcc', () => {
    const output = `a.c:1:10: fatal error: missing.h: No such file or directory
    1 | #include "missing.h"
      |          ^~~~~~~~~~~
compilation terminated.
b.c: In function ‘main’:
b.c:1:37: error: ‘x’ undeclared (first use in this function)
b.c:1:37: note: each undeclared identifier is reported only once for each function it appears in
b.c:1:22: warning: unused variable ‘unused’ [-Wunused-variable]`
    expect(found(output)).toEqual([
      'a.c:1:10 error missing.h: No such file or directory',
      'b.c:1:37 error ‘x’ undeclared (first use in this function)',
      'b.c:1:22 warning unused variable ‘unused’ [-Wunused-variable]',
    ])
  })

  test('go build and vet', () => {
    expect(found('# x\n./main.go:3:2: undefined: undefinedThing')).toEqual(['./main.go:3:2 error undefined: undefinedThing'])
    expect(found('# x\n# [x]\nvet: ./main.go:3:2: undefined: undefinedThing')).toEqual([
      './main.go:3:2 error undefined: undefinedThing',
    ])
  })

  test('rustc', () => {
    const output = `error[E0308]: mismatched types
 --> r/src/main.rs:2:18
  |
2 |     let x: i32 = "a";
  |            ---   ^^^ expected \`i32\`, found \`&str\`

error: aborting due to 1 previous error`
    expect(found(output)).toEqual(['r/src/main.rs:2:18 error mismatched types [E0308]'])
  })

  test('javac and Maven', () => {
    expect(
      found('A.java:1: error: cannot find symbol\nclass A { int f() { return x; } }\n  symbol:   variable x\n1 error'),
    ).toEqual(['A.java:1 error cannot find symbol'])
    const twice = '[ERROR] /app/src/main/java/App.java:[5,20] cannot find symbol'
    expect(found(`[ERROR] COMPILATION ERROR : \n${twice}\n[INFO] 1 error\n${twice}`)).toEqual([
      '/app/src/main/java/App.java:5:20 error cannot find symbol',
    ])
  })

  test('ESLint, unix and its default', () => {
    expect(found("/app/src/a.js:1:7: 'x' is assigned a value but never used. [Error/no-unused-vars]\n\n1 problem")).toEqual([
      "/app/src/a.js:1:7 error 'x' is assigned a value but never used. [no-unused-vars]",
    ])
    const output = `
/app/src/a.js
  1:7   error    'x' is never used      no-unused-vars
  3:1   warning  Unexpected console     no-console

✖ 2 problems (1 error, 1 warning)`
    expect(found(output)).toEqual([
      "/app/src/a.js:1:7 error 'x' is never used [no-unused-vars]",
      '/app/src/a.js:3:1 warning Unexpected console [no-console]',
    ])
  })

  test('esbuild, of which columns count from 0', () => {
    expect(found('✘ [ERROR] Could not resolve "./nope.js"\n\n    src/e.ts:1:14:\n      1 │ import x from "./nope.js"')).toEqual([
      'src/e.ts:1:15 error Could not resolve "./nope.js"',
    ])
  })

  test('a Python traceback: the innermost frame first; a syntax error', () => {
    const output = `starting
Traceback (most recent call last):
  File "/app/t.py", line 4, in <module>
    f()
  File "/app/lib/t.py", line 3, in f
    return json.loads("{")
           ^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
json.decoder.JSONDecodeError: Expecting property name: line 1 column 2 (char 1)`
    expect(found(output)).toEqual([
      '/usr/lib/python3.11/json/__init__.py:346 error json.decoder.JSONDecodeError: Expecting property name: line 1 column 2 (char 1) or /app/lib/t.py:3, /app/t.py:4',
    ])
    expect(found('  File "/app/s.py", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax')).toEqual([
      '/app/s.py:1 error SyntaxError: invalid syntax',
    ])
  })

  test('an uncaught error of Node, and a syntax error', () => {
    const thrown = `file:///app/src/word.js:2
throw new Error('broken on purpose')
      ^

Error: broken on purpose
    at file:///app/src/word.js:2:7
    at ModuleJob.run (node:internal/modules/esm/module_job:263:25)
    at f (/app/src/server.js:3:1)

Node.js v20.20.2`
    expect(found(thrown)).toEqual(['/app/src/word.js:2:7 error Error: broken on purpose or /app/src/server.js:3:1'])
    const syntax = `file:///app/s.mjs:2
const = 2
      ^

SyntaxError: Unexpected token '='
    at compileSourceTextModule (node:internal/modules/esm/utils:346:16)`
    expect(found(syntax)).toEqual(["/app/s.mjs:2 error SyntaxError: Unexpected token '='"])
  })

  test('other output holds nothing, and much of it is bounded', () => {
    expect(
      found(
        'listening on http://localhost:8080\n10:02:11 GET /a 200\nnpm error code ENOENT\nError: no place here\n  indented 3:7',
      ),
    ).toEqual([])
    const many = Array.from({ length: 5_000 }, (_, index) => `a.c:${index + 1}:1: error: x`).join('\n')
    expect(found(many)).toHaveLength(100)
  })
})
