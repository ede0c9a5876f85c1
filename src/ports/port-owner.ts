// Who listens on a port of this machine.

export interface PortOwner {
  /** Name of the program, without its path and arguments. */
  readonly name: string
  readonly pid: number
}

/** Resolves with undefined where the system does not tell, such as of another user's process. Never rejects. */
export type FindPortOwner = (port: number) => Promise<PortOwner | undefined>
