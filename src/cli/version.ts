// The version of devloop, put in by the build.
declare const __DEVLOOP_VERSION__: string | undefined

export const version: string = typeof __DEVLOOP_VERSION__ === 'string' ? __DEVLOOP_VERSION__ : '0.0.0-source'
