// Sites of plain files.
import type { Detector } from '../component.js'
import { dockerfileOf } from '../dockerfile-text.js'
import { folderAbove, inFolder } from '../source-tree.js'
import { siteFolder, siteLines, sitePort } from './web-server.js'

/** Folders that hold the pages of a site whose root is above. */
const pageFolders = ['public', 'www', 'site', 'static', 'html']

/** A folder with an `index.html` in it, or in its `public`. */
export const staticSite: Detector = ({ tree, folder, bases }) => {
  // found with the folder above
  if (pageFolders.includes(folder.slice(folder.lastIndexOf('/') + 1)) && folderAbove(folder) !== undefined) {
    const above = folderAbove(folder) as string
    if (!tree.has(inFolder(above, 'index.html'))) return []
  }
  const pages = ['', ...pageFolders].find((name) => tree.has(inFolder(inFolder(folder, name), 'index.html')))
  if (pages === undefined) return []
  const proof = inFolder(inFolder(folder, pages), 'index.html')
  const serve = (stage: string): readonly (string | undefined)[] =>
    siteLines({ image: bases.image('nginx'), folder: pages === '' ? '.' : pages, fallback: false, stage })
  return [
    {
      kind: 'static',
      findings: [{ what: 'a site of plain files', proof }],
      dockerfile: {
        text: dockerfileOf([
          { why: 'What devloop runs: saved files are synced into it.', lines: serve('dev') },
          { lines: ['FROM dev AS prod'] },
        ]),
      },
      ignore: [],
      live: [{ rule: 'sync', from: pages === '' ? '.' : pages, to: siteFolder }],
      port: { number: sitePort, proof },
      libraries: [],
    },
  ]
}
