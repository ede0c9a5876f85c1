// Python projects: who installs, what runs, and where it listens.
import { describe, expect, test } from 'vitest'
import type { Question } from '../../../src/scaffold/component.js'
import { python } from '../../../src/scaffold/kinds/python.js'
import { commandOf, findWith, librariesOf, stageOf, type Files } from './find-with.js'

const find = (files: Files, folder?: string) => findWith(python, files, folder)[0]
const main = "if __name__ == '__main__':\n    run()\n"

test('a library, scripts and a folder of another language are nothing that runs', () => {
  expect(find({ 'pyproject.toml': '[project]\nname = "lib"\n', 'lib/__init__.py': '' })).toBeUndefined()
  expect(find({ 'pyproject.toml': 'not = [toml', 'README.md': '' })).toBeUndefined()
  expect(find({ 'scripts/main.py': main }, 'scripts')).toBeUndefined()
  expect(find({ 'requirements.txt': '', 'main.py': main, 'jobs/worker.py': main }, 'jobs')).toBeUndefined()
  expect(find({ 'package.json': '{}' })).toBeUndefined()
})

describe('who installs', () => {
  test.each<[what: string, files: Files, installs: string]>([
    ['pip', { 'requirements.txt': 'pika' }, 'RUN pip install --no-cache-dir -r requirements.txt'],
    [
      'uv',
      { 'pyproject.toml': '[project]\nname = "a"', 'uv.lock': '' },
      'RUN /opt/uv/bin/uv sync --frozen --no-install-project --no-cache --no-dev',
    ],
    [
      'Poetry',
      { 'pyproject.toml': '[tool.poetry]\n', 'poetry.lock': '' },
      'RUN /opt/poetry/bin/poetry install --no-root --no-interaction --no-cache --only main',
    ],
    ['Poetry, without a lockfile', { 'pyproject.toml': '[tool.poetry.dependencies]\nflask = "*"' }, 'COPY pyproject.toml ./'],
    ['Pipenv', { Pipfile: '[packages]\npika = "*"', 'Pipfile.lock': '{}' }, 'RUN /opt/pipenv/bin/pipenv sync'],
    [
      'dependencies without a lockfile',
      { 'pyproject.toml': '[project]\ndependencies = ["pika"]' },
      'RUN /opt/uv/bin/uv pip install --no-cache -r pyproject.toml',
    ],
  ])('%s', (what, files, installs) => {
    const found = find({ ...files, 'worker.py': main })
    expect(found?.findings[1]?.what).toBe(what)
    expect(stageOf(found, 'dependencies')).toContain(installs)
  })

  test('requirements are read with those that they include, by the names that libraries have', () => {
    const found = find({
      'requirements.txt': '-r requirements/base.txt\nCelery[redis]>=5 # queue\n',
      'requirements/base.txt': 'psycopg_pool==3\n\n# none\nDjango ; python_version > "3"',
      'main.py': main,
    })
    expect(librariesOf(found)).toEqual(['celery', 'redis', 'psycopg-pool', 'django'])
    expect(stageOf(found, 'dependencies')).toEqual(
      expect.arrayContaining(['COPY requirements.txt ./', 'COPY requirements/base.txt ./requirements/']),
    )
    expect(found?.live[0]).toEqual({ rule: 'rebuildOn', paths: ['requirements.txt', 'requirements/base.txt'] })
  })

  test('requirements that name the sources get them', () => {
    expect(stageOf(find({ 'requirements.txt': '-e .\n', 'main.py': main }), 'dependencies')).toContain('COPY . .')
  })
})

test.each<[from: string, files: Files, version: string]>([
  ['.python-version', { '.python-version': '3.11.4\n' }, '3.11'],
  ['.python-version', { '.python-version': 'my-environment\n3.10\n' }, '3.10'],
  ['runtime.txt', { 'runtime.txt': 'python-3.9.18' }, '3.9'],
  ['pyproject.toml', { 'pyproject.toml': '[project]\nrequires-python = ">=3.9"' }, '3.13'],
  ['pyproject.toml', { 'pyproject.toml': '[project]\nrequires-python = ">=3.9,<3.12"' }, '3.9'],
  ['requirements.txt', {}, '3.13'],
])('the version that %s asks for: %j', (proof, files, version) => {
  const found = find({ 'requirements.txt': '', 'main.py': main, ...files })
  expect(found?.findings[0]?.proof).toBe(proof)
  expect(found?.dockerfile.text).toContain(`FROM docker.io/library/python:${version}-slim AS base`)
})

describe('what runs', () => {
  test('FastAPI, by its server, which is installed where the project lacks it', () => {
    const found = find({ 'requirements.txt': 'fastapi', 'src/shop/api.py': 'app = FastAPI()\n' })
    expect(commandOf(found)).toEqual(['uvicorn', 'shop.api:app', '--host', '0.0.0.0', '--port', '8000'])
    expect(stageOf(found, 'dev')).toContain('RUN pip install --no-cache-dir uvicorn==0.34.3')
    expect(found?.notes).toEqual([expect.stringContaining('It does not depend on uvicorn')])
    expect(found?.dockerfile.text).toContain('PYTHONPATH=/app/src:/app')
  })

  test('FastAPI, made by a function', () => {
    const found = find({
      'requirements.txt': 'fastapi[standard]',
      'app/main.py': 'def create() -> FastAPI:\n    return FastAPI()\n',
    })
    expect(commandOf(found, 'prod')).toEqual(['uvicorn', '--factory', 'app.main:create', '--host', '0.0.0.0', '--port', '8000'])
    expect(found?.notes).toEqual([])
  })

  test('Flask: its own server in development, gunicorn in production', () => {
    const found = find({
      'requirements.txt': 'flask\ngunicorn',
      'app.py': 'server = Flask(__name__)\n\nif __name__ == "__main__":\n    server.run(port=5001)\n',
    })
    expect(commandOf(found)).toEqual([
      'flask',
      '--app',
      'app:server',
      'run',
      '--debug',
      '--no-reload',
      '--no-debugger',
      '--host',
      '0.0.0.0',
      '--port',
      '5001',
    ])
    expect(commandOf(found, 'prod')).toEqual(['gunicorn', '--bind', '0.0.0.0:5001', 'app:server'])
    expect(found?.live).toContainEqual({ rule: 'restart', on: ['**/*.py', '**/*.{json,yaml,yml,toml,ini,cfg}'] })
  })

  test('Django reloads itself, and its migrations run', () => {
    const [found] = findWith(python, 'python-django-uv')
    expect(commandOf(found)).toEqual([
      'sh',
      '-c',
      'python manage.py migrate --noinput && exec python manage.py runserver 0.0.0.0:8000',
    ])
    expect(commandOf(found, 'prod')).toEqual(['gunicorn', '--bind', '0.0.0.0:8000', 'shop.wsgi:application'])
    expect(found?.live.map(({ rule }) => rule)).toEqual(['rebuildOn', 'sync', 'run'])
  })

  test('a worker has no port', () => {
    const [found] = findWith(python, 'python-worker')
    expect(commandOf(found)).toEqual(['python', 'worker.py'])
    expect(found?.port).toBeUndefined()
    expect(librariesOf(found)).toEqual(['pika'])
  })

  test('Celery without a web app', () => {
    const found = find({ 'requirements.txt': 'celery', 'jobs/tasks.py': 'queue = Celery("jobs")\n' })
    expect(commandOf(found)).toEqual(['celery', '-A', 'jobs.tasks:queue', 'worker', '--loglevel', 'info'])
  })

  test('a package with a __main__ is run by its name', () => {
    expect(commandOf(find({ 'pyproject.toml': '[project]', 'src/mailer/__main__.py': 'run()' }))).toEqual([
      'python',
      '-m',
      'mailer',
    ])
  })

  test('of several programs a person chooses', () => {
    const asked: Question[] = []
    const [found] = findWith(
      python,
      { 'requirements.txt': '', 'server.py': main, 'worker.py': main, 'jobs/deep.py': main },
      '',
      asked,
    )
    expect(asked).toEqual([
      expect.objectContaining({ id: 'entry', fallback: 'server.py', choices: [expect.anything(), expect.anything()] }),
    ])
    expect(commandOf(found)).toEqual(['python', 'server.py'])
  })
})

test.each<[text: string, port: number | undefined]>([
  ['HTTPServer(("", 9001), Handler).serve_forever()', 9001],
  ['HTTPServer(("", int(os.environ.get("PORT", "9002"))), Handler)', 9002],
  ['web.run_app(app, port=9003)', 9003],
  ['server.add_insecure_port("[::]:50051")', 50_051],
  ['socket.listen()', 8000],
  ['print("no server")', undefined],
])('the port of %s', (text, port) => {
  expect(find({ 'requirements.txt': '', 'main.py': text })?.port?.number).toBe(port)
})

test('on this machine it runs in its own environment, on the port that it is given', () => {
  const [found] = findWith(python, 'python-fastapi-pip')
  expect(found?.process).toEqual({
    prepare: 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt',
    command: ['sh', '-c', 'exec .venv/bin/uvicorn app.main:app --port "$PORT"'],
  })
})
