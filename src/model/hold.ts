// Why a resource is not being worked on now.

export interface Hold {
  readonly code:
    | 'reloading'
    | 'runtime'
    | 'needs'
    | 'image'
    | 'render'
    /** The files that a local watches are being read: a save that comes before that would be noticed by nobody. */
    | 'sources'
    | 'failed'
    | 'slot'
    | 'unsupported'
    | 'stopping'
    /** Switched off: by request, by the command line or by the plan; `disabled` of its view says by which. */
    | 'disabled'
    /** It does not start by itself (`auto: false`), and nobody has triggered it. */
    | 'auto'
    /** `trigger: 'manual'`: there are changes, and they wait for a trigger. A resource that is ready may have this hold. */
    | 'pending'
    /** What it comes after (`rebuildAfter`) is at work. */
    | 'after'
    /** Its objects are being deleted, and are deployed again after that. */
    | 'removing'
    /** Deployed or started, and not ready yet. */
    | 'starting'
    /** Somebody else has set the replicas of a workload to 0, such as an operator that puts namespaces to sleep. */
    | 'asleep'
    /** Its containers are being brought to what was saved. */
    | 'sync'
  readonly message: string
}
