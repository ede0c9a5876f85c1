// The kinds of components, in the order in which a folder is looked at: the first that finds something has it.
import type { Detector } from './component.js'
import { dotnet } from './kinds/dotnet.js'
import { go } from './kinds/go.js'
import { gradle } from './kinds/gradle.js'
import { maven } from './kinds/maven.js'
import { node } from './kinds/node.js'
import { php } from './kinds/php.js'
import { python } from './kinds/python.js'
import { ruby } from './kinds/ruby.js'
import { rust } from './kinds/rust.js'
import { staticSite } from './kinds/static.js'

/** Back ends come before Node.js, because many of them have a package.json for their style sheets. */
export const detectors: readonly Detector[] = [python, go, rust, maven, gradle, ruby, php, dotnet, node, staticSite]
