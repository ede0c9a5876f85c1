// The kinds of components, in the order in which a folder is looked at: the first that finds something has it.
import type { Detector } from './component.js'
import { node } from './kinds/node.js'
import { staticSite } from './kinds/static.js'

/** Back ends come before Node.js, because many of them have a package.json for their style sheets. */
export const detectors: readonly Detector[] = [node, staticSite]
