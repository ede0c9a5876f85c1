// The agent as it comes with devloop: a program for each platform of nodes, and its version.

export interface AgentProgram {
  /** Hash of its sources, 16 hex digits; undefined = it did not come with this devloop. */
  version(): Promise<string | undefined>
  /** Undefined where there is none for a platform. @param platform `os/arch`, such as `linux/amd64` */
  read(platform: string): Promise<Buffer | undefined>
}
