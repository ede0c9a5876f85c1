// Every key that a Compose file can have, and what becomes of it.

/** What becomes of a key. */
export type Treatment =
  /** It is followed. */
  | 'followed'
  /** It means nothing where devloop runs the service, and nobody misses it. */
  | 'left out'
  /** It is left out, and that is told. The text says what is so instead. */
  | { readonly warning: string }
  /** Without it the service would not be what was asked for. The text says why. */
  | { readonly error: string }

const warning = (text: string): Treatment => ({ warning: text })
const error = (text: string): Treatment => ({ error: text })
const followed = (...names: string[]): [string, Treatment][] => names.map((name) => [name, 'followed'])
const leftOut = (...names: string[]): [string, Treatment][] => names.map((name) => [name, 'left out'])

const host = "What runs in a cluster has no part in this machine's devices and namespaces."
const limits = 'The container has what the cluster gives it.'

export const topLevelKeys: ReadonlyMap<string, Treatment> = new Map([
  ...followed('name', 'services', 'volumes', 'secrets', 'configs', 'include'),
  // all services of a project reach each other
  ...leftOut('version', 'networks'),
  ['models', error('devloop runs no models.')],
])

export const serviceKeys: ReadonlyMap<string, Treatment> = new Map<string, Treatment>([
  ...followed('build', 'image', 'environment', 'env_file', 'ports', 'expose', 'depends_on', 'volumes', 'tmpfs', 'healthcheck'),
  ...followed('command', 'entrypoint', 'working_dir', 'user', 'secrets', 'configs', 'restart', 'deploy', 'scale', 'profiles'),
  ...followed('extends', 'develop', 'container_name', 'hostname', 'links', 'networks', 'network_mode', 'extra_hosts'),
  ...followed('cap_add', 'cap_drop', 'read_only', 'stop_grace_period', 'stdin_open', 'tty', 'mem_limit', 'cpus', 'shm_size'),
  ...followed('platform', 'privileged', 'pid', 'ipc', 'devices'),
  ...leftOut('labels', 'annotations', 'label_file', 'logging', 'init', 'pull_policy', 'attach', 'mem_reservation', 'cpu_shares'),
  ...leftOut('cpu_count', 'cpu_percent', 'cpu_period', 'cpu_quota', 'cpu_rt_period', 'cpu_rt_runtime', 'pids_limit'),
  ...leftOut('memswap_limit', 'mem_swappiness', 'oom_score_adj', 'storage_opt', 'cpuset', 'blkio_config', 'gw_priority'),
  ['stop_signal', warning("It is ended by the image's own signal.")],
  ['sysctls', warning('The container has the settings of its node.')],
  ['ulimits', warning(limits)],
  ['oom_kill_disable', warning(limits)],
  ['security_opt', warning("It runs by the cluster's own rules.")],
  ['group_add', warning('It has no more groups than its user.')],
  ['dns', warning("It asks the cluster's name service.")],
  ['dns_search', warning("It asks the cluster's name service.")],
  ['dns_opt', warning("It asks the cluster's name service.")],
  ['domainname', warning('It has the name that the cluster gives it.')],
  ['mac_address', warning('It has the address that the cluster gives it.')],
  ['runtime', warning("It runs by the cluster's own runtime.")],
  ['cgroup', warning(limits)],
  ['cgroup_parent', warning(limits)],
  ['isolation', warning(limits)],
  ['external_links', warning('Name what it needs in `extra_hosts`.')],
  ['post_start', warning('Nothing is run when it has started.')],
  ['pre_stop', warning('Nothing is run before it is ended.')],
  ['credential_spec', error('There are no managed service accounts here.')],
  ['device_cgroup_rules', error(host)],
  ['gpus', error('Give it a GPU with manifests of your own.')],
  ['uts', error(host)],
  ['userns_mode', error(host)],
  ['use_api_socket', error('There is no Docker engine for it to use.')],
  ['volumes_from', error('A container has no files of another here. Name the volumes themselves.')],
  ['provider', error('devloop calls no providers.')],
  ['models', error('devloop runs no models.')],
])

export const buildKeys: ReadonlyMap<string, Treatment> = new Map<string, Treatment>([
  ...followed('context', 'dockerfile', 'dockerfile_inline', 'target', 'args', 'secrets', 'ssh', 'network', 'extra_hosts'),
  ...followed('cache_from', 'pull', 'labels', 'tags', 'platforms'),
  ...leftOut('cache_to', 'no_cache', 'no_cache_filter', 'provenance', 'sbom', 'shm_size', 'ulimits', 'isolation'),
  ['additional_contexts', error('It has one context. Put what it needs into that.')],
  ['privileged', error('Its steps run without more rights.')],
  ['entitlements', error('Its steps run without more rights.')],
])

export const deployKeys: ReadonlyMap<string, Treatment> = new Map<string, Treatment>([
  ...followed('replicas', 'resources', 'mode', 'restart_policy'),
  // of Swarm: Compose itself leaves them out
  ...leftOut('labels', 'placement', 'update_config', 'rollback_config', 'endpoint_mode'),
])
