import { createFileWatcher } from '../../src/adapters/chokidar/file-watcher.js'
import { fileWatcherContract } from './file-watcher.js'

fileWatcherContract('chokidar', () => createFileWatcher())
