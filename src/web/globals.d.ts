/** Of devloop, put in when the page is built. */
declare const __DEVLOOP_VERSION__: string

declare module '*.css'
