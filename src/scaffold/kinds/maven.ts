// Java and Kotlin projects that Maven builds.
import type { Detector, Library } from '../component.js'
import { keysAt, listAt, parseXml, textAt, textsAt } from '../read-data.js'
import { folderAbove, inFolder, isWithin, pathWithin, type SourceTree } from '../source-tree.js'
import { versionFor } from '../versions.js'
import { javaComponent, libraryFolder } from './java-app.js'

const repository = '/opt/m2'

export const maven: Detector = (place) => {
  const { tree, folder, bases } = place
  const own = readPom(tree, folder)
  if (!own || own.packaging === 'pom') return []
  const root = rootOf(tree, folder)
  const poms = folder === root ? [own] : modulesBelow(tree, root)
  const above = poms.filter((one) => isWithin(folder, one.folder) && one.folder !== folder)
  const version = versionOf([own, ...above.reverse()], bases.defaultVersion('java'))
  const wrapper = tree.has(inFolder(root, 'mvnw')) && tree.has(inFolder(root, '.mvn/wrapper/maven-wrapper.properties'))
  const used = usedModules(own, poms)
  const at = (path: string): string => pathWithin(path, root)
  const mvn = wrapper ? './mvnw' : 'mvn'
  const part = folder === root ? '' : ` -pl ${at(folder)} -am`
  // modules of this project are not there as archives: their classes stand beside
  const siblings = used.filter((one) => one !== own).map(({ artifact }) => artifact)
  const copy = `dependency:copy-dependencies -DincludeScope=runtime${siblings.length > 0 ? ` -DexcludeArtifactIds=${siblings.join(',')}` : ''}`
  const found = javaComponent(place, {
    root,
    name: own.artifact,
    findings: [
      {
        what: version.proof === undefined ? `Java (${version.number}, as nothing names a version)` : `Java ${version.number}`,
        proof: version.proof ?? own.path,
      },
      wrapper ? { what: 'Maven, by its wrapper', proof: inFolder(root, 'mvnw') } : { what: 'Maven', proof: own.path },
    ],
    version: version.number,
    libraries: used.flatMap(({ libraries }) => libraries),
    mainClass: own.mainClass === undefined ? undefined : { name: own.mainClass, proof: own.path },
    modules: used.map((one) => one.folder),
    classes: ['target/classes'],
    image: bases.image(wrapper ? 'java' : 'maven', version.number),
    // it runs for a moment only: the first compiler of the JVM is enough
    env: [
      `MAVEN_OPTS="-Dmaven.repo.local=${repository} -XX:TieredStopAtLevel=1"`,
      ...(wrapper ? ['MAVEN_USER_HOME=/opt/maven'] : []),
    ],
    manifests: [
      ...poms.map((one) => at(one.path)),
      ...(wrapper ? ['mvnw'] : []),
      ...(tree.folders.includes(inFolder(root, '.mvn')) ? ['.mvn/'] : []),
    ].sort(),
    fetch: `${mvn} -B -q compile ${copy} -DoutputDirectory=${libraryFolder}${part}`,
    compile: `${mvn} -B -q -o compile${part}`,
    recompile: `${mvn} -B -q -o compile${part}`,
    here: {
      prepare: `${mvn} -B -q compile ${copy} -DoutputDirectory="$PWD/target/dependency"${part}`,
      libraries: 'target/dependency',
    },
    ignore: ['**/target'],
  })
  return found ? [found] : []
}

interface Pom {
  readonly folder: string
  readonly path: string
  readonly artifact: string
  readonly packaging: string
  readonly properties: Readonly<Record<string, string>>
  readonly modules: readonly string[]
  readonly libraries: readonly Library[]
  readonly mainClass: string | undefined
}

function readPom(tree: SourceTree, folder: string): Pom | undefined {
  const path = inFolder(folder, 'pom.xml')
  const xml = parseXml(tree.read(path))
  const artifact = textAt(xml, 'project', 'artifactId')
  if (artifact === undefined) return undefined
  const properties = Object.fromEntries(
    keysAt(xml, 'project', 'properties').flatMap((name) => {
      const value = textAt(xml, 'project', 'properties', name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const plugins = listAt(xml, 'project', 'build', 'plugins', 'plugin')
  const main = [
    properties['start-class'],
    properties['exec.mainClass'],
    ...plugins.flatMap((plugin) => [
      textAt(plugin, 'configuration', 'mainClass'),
      textAt(plugin, 'configuration', 'archive', 'manifest', 'mainClass'),
    ]),
  ].find((name) => name !== undefined)
  return {
    folder,
    path,
    artifact,
    packaging: textAt(xml, 'project', 'packaging') ?? 'jar',
    properties,
    modules: textsAt(xml, 'project', 'modules', 'module').map((one) => inFolder(folder, one.replace(/\/$/, ''))),
    libraries: listAt(xml, 'project', 'dependencies', 'dependency')
      .filter((one) => textAt(one, 'scope') !== 'test')
      .map((one) => ({ name: `${textAt(one, 'groupId') ?? ''}:${textAt(one, 'artifactId') ?? ''}`, proof: path })),
    mainClass: main === undefined ? undefined : main.replace(/\$\{([^}]+)\}/g, (all, name: string) => properties[name] ?? all),
  }
}

/** The folder of the topmost pom.xml whose modules lead to this one. */
function rootOf(tree: SourceTree, folder: string): string {
  let root = folder
  for (let above = folderAbove(folder); above !== undefined; above = folderAbove(above))
    if (readPom(tree, above)?.modules.includes(root)) root = above
  return root
}

/** The pom.xml of a folder, and those of its modules, theirs included. */
function modulesBelow(tree: SourceTree, folder: string): readonly Pom[] {
  const own = readPom(tree, folder)
  return own ? [own, ...own.modules.filter((one) => one !== folder).flatMap((one) => modulesBelow(tree, one))] : []
}

/** A module and those of its project that it depends on, itself first. */
function usedModules(own: Pom, poms: readonly Pom[]): readonly Pom[] {
  const used: Pom[] = [own]
  for (const one of used)
    for (const { name } of one.libraries) {
      const other = poms.find(({ artifact }) => name.endsWith(`:${artifact}`))
      if (other && !used.some(({ path }) => path === other.path)) used.push(other)
    }
  return used
}

function versionOf(poms: readonly Pom[], standard: string): { readonly number: string; readonly proof: string | undefined } {
  for (const name of ['maven.compiler.release', 'java.version', 'maven.compiler.target', 'maven.compiler.source'])
    for (const { properties, path } of poms) {
      const number = versionFor(properties[name]?.replace(/^1\./, '') ?? '', standard)
      if (number !== undefined) return { number, proof: path }
    }
  return { number: standard, proof: undefined }
}
