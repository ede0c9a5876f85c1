// What a plan was made from, and so what must be watched for the next.

/** Folders and files whose change makes another load of the Devloopfile necessary. */
export interface PlanInput {
  /** Absolute path of a file or folder to watch; it need not exist. */
  readonly root: string
  /** Whether a path below `root` (relative, with `/`; '' = the root itself) is an input. */
  readonly matches: (path: string) => boolean
  /** Whether no path below this folder (relative, as for `matches`) can be an input, so that it need not be entered. Undefined = no folder. */
  readonly prunes?: (folder: string) => boolean
}
