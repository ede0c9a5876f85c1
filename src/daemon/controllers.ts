// The one list of controllers.
import type { ControlContext, Controller } from '../control/context.js'
import { createBuildController } from '../control/build.js'
import { createConnectController } from '../control/connect.js'
import { createDeployController } from '../control/deploy.js'
import { createForwardController } from '../control/forward.js'
import { createHousekeepingController } from '../control/housekeeping.js'
import { createLiveSyncController } from '../control/live-sync.js'
import { createLinksController } from '../control/links.js'
import { createLocalController } from '../control/local.js'
import { createLogsController } from '../control/logs.js'
import { createPodsController } from '../control/pods.js'
import { createReloadController } from '../control/reload.js'
import { createRenderController } from '../control/render.js'
import { createRightsController } from '../control/rights.js'
import { createWatchController } from '../control/watch.js'

export const startControllers = (context: ControlContext): Controller[] =>
  [
    createWatchController,
    createReloadController,
    createConnectController,
    createRightsController,
    createBuildController,
    createRenderController,
    createDeployController,
    createLiveSyncController,
    createPodsController,
    createLogsController,
    createForwardController,
    createLocalController,
    createLinksController,
    createHousekeepingController,
  ].map((create) => create(context))
