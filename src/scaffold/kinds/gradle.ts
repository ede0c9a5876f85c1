// Java and Kotlin projects that Gradle builds. Its files are programs: what they say is looked for by patterns.
import type { Detector, Library } from '../component.js'
import { folderAbove, inFolder, pathWithin, type SourceTree } from '../source-tree.js'
import { versionFor } from '../versions.js'
import { javaComponent, libraryFolder } from './java-app.js'

const home = '/opt/gradle-home'
/** Adds the task that copies what a module needs when it runs. It is Gradle's own language, in one line. */
const script = (to: string): string =>
  `allprojects { afterEvaluate { if (plugins.hasPlugin("java")) tasks.register("copyLibraries", Copy) { from configurations.runtimeClasspath; into "${to}" } } }`

export const gradle: Detector = (place) => {
  const { tree, folder, bases } = place
  const own = readBuild(tree, folder)
  if (!own) return []
  const root = rootOf(tree, folder)
  const builds = tree.folders
    .filter((one) => one === root || settingsNames(tree, root).includes(pathWithin(one, root)))
    .flatMap((one) => readBuild(tree, one) ?? [])
  const above = builds.filter((one) => one.folder === root && one.folder !== folder)
  const standard = bases.defaultVersion('java')
  const said = [own, ...above].find(({ version }) => version !== undefined)
  const version = versionFor(said?.version ?? '', standard) ?? standard
  const wrapper = tree.has(inFolder(root, 'gradlew')) && tree.has(inFolder(root, 'gradle/wrapper/gradle-wrapper.properties'))
  const used = usedBuilds(own, builds, root)
  const at = (path: string): string => pathWithin(path, root)
  const tool = `${wrapper ? './gradlew' : 'gradle'} -q --no-daemon`
  const task = (name: string): string => (folder === root ? name : `:${at(folder).replaceAll('/', ':')}:${name}`)
  const init = '/opt/libraries.gradle'
  const manifests = [
    ...builds.map((one) => at(one.path)),
    ...['settings.gradle', 'settings.gradle.kts', 'gradle.properties', 'gradle/libs.versions.toml', 'gradle.lockfile'].filter(
      (name) => tree.has(inFolder(root, name)),
    ),
    ...(wrapper ? ['gradlew', 'gradle/wrapper/'] : []),
    ...(tree.folders.includes(inFolder(root, 'buildSrc')) ? ['buildSrc/'] : []),
  ]
  const classes = ['build/classes/java/main', ...(own.isKotlin ? ['build/classes/kotlin/main'] : []), 'build/resources/main']
  const outputs = used.flatMap((one) => classes.map((part) => inFolder(at(one.folder), part)))
  const found = javaComponent(place, {
    root,
    name: projectName(tree, root, folder),
    findings: [
      { what: said ? `Java ${version}` : `Java (${version}, as nothing names a version)`, proof: said?.path ?? own.path },
      wrapper ? { what: 'Gradle, by its wrapper', proof: inFolder(root, 'gradlew') } : { what: 'Gradle', proof: own.path },
    ],
    version,
    libraries: used.flatMap(({ libraries }) => libraries),
    mainClass: own.mainClass === undefined ? undefined : { name: own.mainClass, proof: own.path },
    modules: used.map((one) => one.folder),
    classes,
    image: bases.image(wrapper ? 'java' : 'gradle', version),
    env: [`GRADLE_USER_HOME=${home}`],
    manifests: [...new Set(manifests)].sort(),
    fetch: `echo '${script(libraryFolder)}' > ${init} && ${tool} --init-script ${init} ${task('copyLibraries')} ${task('classes')}`,
    // folders that a module without such sources lacks are made, because they are copied
    compile: `${tool} --offline ${task('classes')} && mkdir -p ${outputs.join(' ')}`,
    recompile: `${wrapper ? './gradlew' : 'gradle'} -q --offline ${task('classes')}`,
    here: {
      prepare: `echo '${script('\'"$PWD"\'/build/libraries')}' > .libraries.gradle && ${tool} --init-script .libraries.gradle ${task('copyLibraries')} ${task('classes')}`,
      libraries: 'build/libraries',
    },
    ignore: ['**/build', '**/.gradle', '**/.kotlin'],
  })
  return found ? [found] : []
}

interface Build {
  readonly folder: string
  readonly path: string
  readonly version: string | undefined
  readonly mainClass: string | undefined
  readonly isKotlin: boolean
  readonly libraries: readonly Library[]
  /** Paths of the projects that it depends on, such as `:common`. */
  readonly projects: readonly string[]
}

function readBuild(tree: SourceTree, folder: string): Build | undefined {
  const path = ['build.gradle.kts', 'build.gradle'].map((name) => inFolder(folder, name)).find((one) => tree.has(one))
  const text = path === undefined ? undefined : tree.read(path)?.replace(/^\s*\/\/.*$/gm, '')
  if (path === undefined || text === undefined) return undefined
  const first = (...patterns: readonly RegExp[]): string | undefined =>
    patterns.map((one) => one.exec(text)?.[1]).find((one) => one !== undefined)
  const dependency =
    /\b(?:implementation|api|runtimeOnly|compileOnly|developmentOnly|compile)[\s(]+(?:platform\()?["']([\w.-]+:[\w.-]+)/g
  return {
    folder,
    path,
    version: first(
      /JavaLanguageVersion\.of\(\s*["']?(\d+)/,
      /jvmToolchain\(\s*(\d+)/,
      /sourceCompatibility\s*=?\s*["']?(?:JavaVersion\.VERSION_)?(?:1[._])?(\d+)/,
    ),
    mainClass: first(/\bmainClass(?:Name)?(?:\.set\(|\s*=)\s*["']([\w.$]+)["']/),
    isKotlin: /kotlin\(["']jvm["']\)|org\.jetbrains\.kotlin\.jvm|apply plugin: ["']kotlin["']/.test(text),
    libraries: [...text.matchAll(dependency)].map(([, name]) => ({
      name: (name as string).split(':').slice(0, 2).join(':'),
      proof: path,
    })),
    projects: [...text.matchAll(/project\(\s*(?:path:\s*)?["']:([\w:.-]+)["']/g)].map(([, name]) =>
      (name as string).replaceAll(':', '/'),
    ),
  }
}

const settingsText = (tree: SourceTree, folder: string): string | undefined =>
  tree.read(inFolder(folder, 'settings.gradle.kts')) ?? tree.read(inFolder(folder, 'settings.gradle'))

/** Folders of the projects that the settings include, relative to the root. */
const settingsNames = (tree: SourceTree, root: string): readonly string[] =>
  [...(settingsText(tree, root) ?? '').matchAll(/^\s*include[\s(]+([^\n)]+)/gm)]
    .flatMap(([, list]) => [...(list ?? '').matchAll(/["']:?([\w:.-]+)["']/g)])
    .map(([, name]) => (name as string).replaceAll(':', '/'))

function rootOf(tree: SourceTree, folder: string): string {
  for (let above = folderAbove(folder); above !== undefined; above = folderAbove(above))
    if (settingsNames(tree, above).includes(pathWithin(folder, above))) return above
  return folder
}

function projectName(tree: SourceTree, root: string, folder: string): string {
  const own = /rootProject\.name\s*=\s*["']([^"']+)["']/.exec(settingsText(tree, root) ?? '')?.[1]
  return folder === root ? (own ?? '') : folder.slice(folder.lastIndexOf('/') + 1)
}

function usedBuilds(own: Build, builds: readonly Build[], root: string): readonly Build[] {
  const used: Build[] = [own]
  for (const one of used)
    for (const name of one.projects) {
      const other = builds.find(({ folder }) => pathWithin(folder, root) === name)
      if (other && !used.some(({ path }) => path === other.path)) used.push(other)
    }
  return used
}
