// The page of `devloop` as one file with data in it instead of a daemon behind it: what the data are, and where they stand.
//
// The files of the page lie in dist/web: index.html, which refers to page.js and page.css by one <script> and one <link>, and
// nothing else (pictures are data: addresses). To make one file of them: put the text of page.css into a <style> in place of
// that <link>, that of page.js into a <script type="module"> in place of that <script>, and before it
//
//   <script type="application/json" id="devloop-frozen">FROZEN</script>
//
// where FROZEN is a `FrozenPage` as JSON, with every `<` written as \u003c. When the page finds that element it connects to
// nothing, offers no button that would need a daemon, and says from when its data are. No script but the inlined one is run, no
// style but the inlined one is used, and nothing is fetched, so that both can be allowed by their hashes:
//
//   default-src 'none'; script-src 'sha256-...'; style-src 'sha256-...'; img-src data:; base-uri 'none'; form-action 'none'
import type { LogEntry } from '../model/log-entry.js'
import type { View } from './messages.js'

/** What a page shows that has no daemon behind it. Secrets are taken out before. */
export interface FrozenPage {
  readonly format: 1
  /** When it was taken, milliseconds since 1970. */
  readonly at: number
  /** Of devloop. */
  readonly version: string
  /** In any order. */
  readonly views: readonly View[]
  /** Oldest first. */
  readonly logs: readonly LogEntry[]
}

/** Id of the element that holds it. */
export const frozenElementId = 'devloop-frozen'
