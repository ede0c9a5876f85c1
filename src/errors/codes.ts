// The one table of error codes. docs/errors.md is generated from it.

/** What the daemon does by itself after an error with this code. */
export type RetryPolicy =
  /** Nothing: only a change of the input (a save, a reload, a request) can help. */
  | 'on-change'
  /** Tried again by itself with a growing pause, because the cause may go away outside. */
  | 'backoff'

export interface ErrorCodeEntry {
  /** What went wrong, in general words. */
  readonly summary: string
  /** What a user can do about it, in general; the error itself may say more. */
  readonly help: string
  readonly retry: RetryPolicy
}

const entry = (summary: string, help: string, retry: RetryPolicy = 'on-change'): ErrorCodeEntry => ({ summary, help, retry })

/** Every code devloop can report. Codes are stable: they are never renamed or reused. */
export const errorCodes = {
  // Devloopfile
  'devloopfile/not-found': entry('There is no Devloopfile.', 'Create a Devloopfile.ts in the project, or name one with --file.'),
  'devloopfile/syntax': entry(
    'The Devloopfile, or a module it imports, is not valid TypeScript.',
    'Correct the line that the error names.',
  ),
  'devloopfile/import': entry(
    'The Devloopfile imports a module that cannot be found.',
    'Correct the path, or install the package.',
  ),
  'devloopfile/threw': entry('The Devloopfile threw an error while it ran.', 'Correct the line that the error names.'),
  'devloopfile/timeout': entry(
    'The Devloopfile did not finish within its time limit.',
    'Look for an endless loop, or for an await that never ends.',
  ),
  'devloopfile/invalid': entry(
    'The Devloopfile declares something that is not valid.',
    'Correct the value that the error names.',
  ),
  'devloopfile/cycle': entry(
    'Resources need each other in a circle.',
    'Remove one of the `needs` or `rebuildAfter` that the error lists.',
  ),
  'devloopfile/file': entry('A file that the Devloopfile names cannot be read.', 'Correct the path, or create the file.'),
  'devloopfile/yaml': entry(
    'A manifest or Compose file is not valid YAML, or a manifest is not a Kubernetes object.',
    'Correct the line that the error names.',
  ),
  'compose/invalid': entry('A Compose file says something that is not valid.', 'Correct the line that the error names.'),
  'compose/unsupported': entry(
    'A Compose file asks for something that devloop cannot do.',
    'Remove it, or leave the service out: compose(file, { except: [...] }).',
  ),
  // configs and secrets
  'config/source': entry(
    'Something that a config or a secret takes its values from cannot be read.',
    'Read the reason in the error. What was read before stays in use until then.',
  ),
  'config/missing': entry(
    'The Secret of the cluster that a secret takes its values from is not there, or may not be read.',
    'Create it, or ask for the right to read it. What was read before stays in use until then.',
    'backoff',
  ),
  'config/command': entry(
    'The command that a secret takes its values from failed.',
    'Read what it says, and correct the cause; then `devloop trigger NAME` runs it again. What it gave before stays in use until then.',
  ),
  'config/value': entry(
    'A resource takes a value from a config that does not have it.',
    'Correct the name, or add the value to the config.',
  ),
  'config/exposed': entry(
    'A config holds what looks secret, and everybody who may look into the namespace can read it.',
    'Declare it by secret() instead of config().',
  ),
  // objects that tools of this machine make, and custom deploys
  'tool/missing': entry('A command that devloop uses is not installed.', 'Install it, so that it is found in PATH.', 'backoff'),
  'render/failed': entry(
    'A kustomization or a Helm chart could not be rendered.',
    "Correct the file that the error names; the words are the tool's own.",
  ),
  'render/unreachable': entry(
    'Something that a kustomization or a Helm chart needs from elsewhere could not be fetched.',
    'Check the address, and that this machine reaches it.',
    'backoff',
  ),
  'render/timeout': entry(
    'A kustomization or a Helm chart took too long to render.',
    'See what it fetches from elsewhere.',
    'backoff',
  ),
  'tool/version': entry('A command that devloop uses is too old for this.', 'Install the version that the error names.'),
  'release/failed': entry(
    'Helm could not install, upgrade or uninstall a release.',
    "Read the reason in the error; the words are Helm's own. A change or a trigger tries it again; `helm history` shows the release, `helm rollback` goes back.",
  ),
  'release/pending': entry(
    'Helm did not finish with a release, or is still at work on it.',
    'Wait until it is done; if nobody is at work on it, use `helm rollback`, or `helm uninstall` where there is nothing to go back to.',
    'backoff',
  ),
  'release/taken': entry(
    'There is a Helm release of this name that devloop did not make for this resource.',
    'Give the release another name or namespace, or uninstall the other one.',
    'backoff',
  ),
  'custom/failed': entry('A command of a custom deploy failed.', 'Read its output and correct the cause.'),
  'custom/output': entry(
    'A custom deploy did not print what it applied.',
    'Print the objects as YAML (such as `kubectl apply -o yaml` does), or give `selector`.',
  ),
  // workloads that something else deploys
  'attach/container': entry(
    'It is not known into which container of an attached workload files are to go.',
    'Name one that its pods have with `container`.',
  ),
  'attach/own': entry(
    'A workload is attached that the same Devloopfile deploys.',
    'Give the live rules to an image of the resource that deploys it.',
  ),
  // build
  'engine/unreachable': entry(
    'The Docker engine does not answer.',
    'Start Docker, or set DOCKER_HOST to the engine to use.',
    'backoff',
  ),
  'engine/refused': entry('The Docker engine refused a request.', "Read the reason in the error; it is the engine's own."),
  'build/failed': entry('The image could not be built.', 'Correct the Dockerfile line, or the source that it compiles.'),
  'build/context': entry(
    'The build context cannot be read.',
    'Check that the folder exists and that its files can be read.',
    'backoff',
  ),
  'build/no-image': entry(
    'The command that builds an image made none that can be found.',
    'Let it tag or push its result as $DEVLOOP_REF, or write the reference to the file $DEVLOOP_REF_FILE.',
  ),
  'build/secret': entry(
    'A secret of an image cannot be read.',
    'Create the file, or set the variable, that `secrets` of the image names.',
    'backoff',
  ),
  'build/ssh': entry(
    'There is no ssh agent for an image with `ssh`.',
    'Start an agent, add a key with `ssh-add`, and start devloop from that shell.',
    'backoff',
  ),
  'build/buildkit': entry(
    'An image has an option that only BuildKit can serve.',
    'Use an engine with BuildKit, and leave DOCKER_BUILDKIT unset or set it to 1.',
  ),
  'build/dockerfile': entry('The Dockerfile cannot be read.', 'Create it, or name it with `dockerfile`.'),
  'registry/none': entry('No registry to push to is known.', 'Name one with cluster.registry in the Devloopfile.'),
  'registry/auth': entry('The registry refused the credentials.', 'Log in with `docker login`.', 'backoff'),
  'registry/denied': entry(
    'The registry took the login, but it lacks the right.',
    'Ask for the right to push there, or push elsewhere with cluster.registry.',
    'backoff',
  ),
  'registry/name': entry(
    'The registry has no such repository, and does not make one.',
    'Create it, or let all images share one with cluster.registry.singleName.',
    'backoff',
  ),
  'registry/pull-secret': entry(
    'The login of a registry cannot be given to the nodes of the cluster.',
    'Make a Secret of a name and a password yourself, and name it with cluster.pullSecret.',
  ),
  'build/load': entry(
    'The image could not be loaded into the nodes of the cluster.',
    'Install the program that the error names, or use a registry: cluster.registry in the Devloopfile.',
    'backoff',
  ),
  'registry/full': entry('The registry has no space left.', 'Free space there: remove images, or enlarge its disk.', 'backoff'),
  'registry/unreachable': entry('The registry does not answer.', 'Check its address and that it runs.', 'backoff'),
  'registry/refused': entry(
    'The registry refused the image.',
    "Read the reason in the error; it is the registry's own.",
    'backoff',
  ),
  // cluster
  'cluster/none': entry(
    'There is no kubeconfig with a cluster.',
    'Set KUBECONFIG, or use --runtime process, which needs no cluster.',
    'backoff',
  ),
  'cluster/context': entry('The kubeconfig has no such context.', 'Name an existing one with --context.'),
  'cluster/not-allowed': entry(
    'devloop may not write to this cluster.',
    'Add the context to cluster.contexts in the Devloopfile.',
  ),
  'cluster/unreachable': entry(
    'The Kubernetes API server does not answer.',
    'Check that the cluster runs and can be reached.',
    'backoff',
  ),
  'cluster/unauthorized': entry('The Kubernetes API server refused the credentials.', 'Log in to the cluster again.', 'backoff'),
  'cluster/forbidden': entry(
    'The cluster denies a right that devloop needs.',
    'Ask an administrator for the right that the error names.',
    'backoff',
  ),
  'cluster/rights': entry(
    'Rights that the plan needs are missing in the cluster.',
    'Ask an administrator for the rights that the table names, or look at them again with `devloop doctor`.',
  ),
  'provision/namespace': entry(
    "A namespace cannot be given to a developer, because it is somebody else's.",
    'Name another one with --namespace.',
  ),
  'provision/tenant': entry(
    'A tenant cannot be made, or does not have what is needed.',
    'See to the Multi Tenant Operator, or leave out --tenant.',
  ),
  'kubeconfig/exists': entry(
    'A file stands where a kubeconfig was to be written, and is something else.',
    'Name another file, or have it replaced with --force.',
  ),
  'kubeconfig/unwritable': entry('A kubeconfig could not be written.', 'See to the rights and the space of its folder.'),
  'cluster/invalid': entry('The cluster rejected an object as invalid.', 'Correct the manifest field that the error names.'),
  'cluster/conflict': entry(
    'A field of an object is owned by somebody else.',
    'Remove the field from the manifest, or let devloop take it over.',
  ),
  'cluster/namespace': entry(
    'The namespace does not exist and could not be made.',
    'Create it, or name another one with --namespace.',
    'backoff',
  ),
  'cluster/no-namespace': entry(
    'There is no namespace that you may work in, and devloop may not make one.',
    'Let an administrator do what the error says, or name another namespace with --namespace.',
  ),
  'cluster/denied': entry(
    'The cluster does not admit an object: a webhook, a policy or a quota refuses it.',
    "Read the reason in the error; it is the cluster's own. It is tried again when something changes, or by `devloop trigger`.",
  ),
  'cluster/error': entry(
    'The cluster answered with an error.',
    "Read the reason in the error; it is the cluster's own.",
    'backoff',
  ),
  // workloads
  'pod/crashed': entry('A container ended or keeps crashing.', 'Read its log; the next save is tried again.'),
  'job/failed': entry('A Job failed.', 'Read the log of its last pod; a change or a trigger runs it again.'),
  'pod/image': entry('The node cannot pull an image.', 'Check the image name and that the node can reach the registry.'),
  'pod/unschedulable': entry('No node can take the pod.', "Lower what the pod asks for, or free the cluster's resources."),
  'pod/config': entry(
    'A container cannot be started as it is configured.',
    "Read the reason in the error; it is the node's own.",
  ),
  'rollout/timeout': entry('The rollout did not become ready in time.', "Read the pod's log and events."),
  'app/volume': entry('A volume of an app cannot be what it was declared to be.', 'Read the reason in the error.'),
  'app/not-admitted': entry(
    'An app cannot be reached from outside of the cluster.',
    'Read the reason in the error, and correct `expose`.',
  ),
  'app/exited': entry('The process of an app ended.', 'Read its log; the next save is tried again.'),
  'app/start': entry('The process of an app could not be started.', 'Check `process.command` and its working folder.'),
  'app/prepare': entry('The prepare step of an app failed.', 'Read its output.'),
  // live sync
  'sync/no-agent': entry(
    'The agent that devloop deploys with a pod cannot be used there.',
    'Nothing: the shell of the image is used instead, where it has one.',
  ),
  'sync/no-shell': entry(
    'The container has no shell, and the agent, which needs none, cannot be used there.',
    'Use a base image with sh for development; until then, saves rebuild the image.',
  ),
  'sync/no-tool': entry(
    'The container lacks a tool that live sync needs.',
    'Add the tool to the image; until then, saves rebuild the image.',
  ),
  'sync/disk-full': entry(
    'The container has no space left.',
    'Free space in the container, or raise its storage limit.',
    'backoff',
  ),
  'sync/read-only': entry(
    "The container's file system is read-only there.",
    'Mount something writable there; until then, saves rebuild the image.',
  ),
  'sync/permission': entry(
    "The container's user may not write there.",
    "Give the folder to the container's user in the Dockerfile; until then, saves rebuild the image.",
  ),
  'sync/failed': entry(
    'Files could not be written into the container.',
    'Read the reason in the error; it is tried again.',
    'backoff',
  ),
  'sync/disconnected': entry('The stream to the container ended.', 'Nothing: it is opened again.', 'backoff'),
  'sync/source': entry('A source file cannot be read.', 'Check that it exists and can be read.', 'backoff'),
  'sync/root-gone': entry(
    'A folder that is synced, or the whole context, is gone or was emptied at once: nothing is deleted in containers, and the image is not built.',
    'Bring the files back, and it goes on by itself; or say that it is meant: `devloop trigger RESOURCE --confirm-empty`.',
  ),
  'sync/one-way': entry(
    "What a container changes cannot come back: devloop cannot read the container's files.",
    'Let devloop put its agent there, or use an image with `cat` and `sha256sum`; local changes go to the container all the same.',
  ),
  'sync/conflict': entry(
    'A path that is synced both ways was changed on both sides.',
    'Delete the one that you do not want: the other is copied then. `devloop why PATH` tells about a path.',
  ),
  'sync/local': entry('A file that came back from a container cannot be written locally.', 'Read the reason in the error.'),
  'run/failed': entry(
    'A `run` step failed in the container.',
    'Read its output and correct the cause; the next save runs it again.',
  ),
  'run/timeout': entry('A `run` step did not finish within its time limit.', 'Make it faster, or raise its timeout.'),
  'restart/failed': entry('The process in the container could not be restarted.', 'Read the reason in the error.'),
  'restart/unsupported': entry(
    'The process in the container cannot be restarted in place.',
    'Let the resource be deployed by devloop, from an image with sh.',
  ),
  'signal/failed': entry(
    'A signal could not be sent to the process in the container.',
    'Let the process itself handle the signal: start it by `exec` where a shell starts it.',
  ),
  'debug/missing': entry(
    'The image lacks what starts an app under its debugger.',
    'Put it into the image, or take `debug` from the app.',
  ),
  'debug/unsupported': entry(
    'An app cannot be started under its debugger, and runs without.',
    'Give the app a command that starts the program itself.',
  ),
  'notify/failed': entry(
    'The app was not notified.',
    'See whether the app answers there, and what it says; the next save tries again.',
  ),
  // local
  'local/failed': entry('A local command failed.', 'Read its output and correct the cause.'),
  'local/start': entry('A local command could not be started.', 'Check the command and its working folder.'),
  'local/unready': entry(
    'A local command that keeps running is not ready.',
    'Read its output, and what it answered; it is asked again by itself.',
  ),
  'forward/port-taken': entry('A local port is already in use.', 'Stop what uses it, or forward to another port.', 'backoff'),
  'forward/refused': entry('Nothing listens on that port of the pod.', 'See whether the app listens on that port.'),
  'forward/failed': entry('A connection could not be forwarded.', 'See whether the app listens on that port.'),
  // watching
  'watch/limit': entry(
    "The system's limit of file watches is reached.",
    'Raise fs.inotify.max_user_watches; until then, saves are seen late.',
  ),
  'watch/failed': entry('A folder cannot be watched.', 'Check that it exists and can be read.', 'backoff'),
  // devloop ci
  'ci/timeout': entry(
    'A run of `devloop ci` took too long.',
    'See what it waited for, or raise --timeout (`settings.ci.timeout`).',
  ),
  'ci/not-ready': entry(
    'A resource was not ready in time.',
    'Read its log, or raise --readiness-timeout (`settings.ci.readinessTimeout`).',
  ),
  'ci/needs': entry('A resource needs one that does not start by itself.', 'Let that one start, or leave out this one.'),
  'ci/nothing': entry(
    'There is nothing that `devloop ci` could wait for.',
    'Let at least one resource start by itself, or name one.',
  ),
  'ci/report': entry('The report of `devloop ci` cannot be written.', 'Check the path, and that this user may write there.'),
  'eject/exists': entry('A file that `devloop eject` would write is there already.', 'Name another folder, or use --force.'),
  'eject/write': entry('A file of `devloop eject` cannot be written.', 'Check the path, and that this user may write there.'),
  // devloop init
  'init/folder': entry('The folder of a project cannot be read.', 'Check the path, and that this user may read it.'),
  'init/nothing': entry(
    'Nothing was found in the sources that could run.',
    'Run `devloop init` in the folder of the project; without a Dockerfile or a manifest that it knows, write the Devloopfile by hand.',
  ),
  'init/exists': entry('A file that `devloop init` would write is there already.', 'Keep it, or write it anew with --force.'),
  'init/bases': entry('A table of base images cannot be used.', 'Correct the file, or the option, that the error names.'),
  'init/write': entry('A file cannot be written.', 'Check that this user may write to the folder.'),
  // daemon and clients
  // this machine
  'machine/node': entry('Node.js is too old.', 'Install a newer one (https://nodejs.org), and see which one `node` is.'),
  'machine/disk': entry('A disk is as good as full.', 'Free space on it.'),
  'machine/clock': entry(
    "This machine's clock differs from another one.",
    'Have clocks set by the network: `sudo timedatectl set-ntp true`. A virtual machine that slept may need a restart.',
  ),
  'doctor/timeout': entry(
    'A check of `devloop doctor` took too long.',
    'See whether what it asks is overloaded, or cut off without a word (a firewall, a VPN), and try again.',
  ),
  'report/write': entry('A report or a snapshot cannot be written.', 'Name another place with --output.'),
  'cluster/dns': entry(
    'Names are not known in the cluster.',
    "See whether the cluster's DNS runs: kubectl -n kube-system get pods -l k8s-app=kube-dns. A NetworkPolicy may forbid asking it.",
    'backoff',
  ),
  'change/failed': entry('What was saved did not become live.', 'Read the error of the resource: `devloop status` shows it.'),
  'daemon/running': entry('devloop already runs for this project.', 'Use that one, or stop it first.'),
  'daemon/not-running': entry('devloop does not run for this project.', 'Start it with `devloop watch`.'),
  'daemon/start': entry('The daemon could not start.', 'Read the reason in the error.'),
  'state/unreadable': entry('A state file could not be read and is left out.', 'Nothing: it is made anew.'),
  'state/unwritable': entry(
    'A state file could not be written.',
    'Free space on the disk, and check that this user may write to the folder.',
    'backoff',
  ),
  'protocol/version': entry(
    'The client and the daemon speak different protocol versions.',
    'Use the same version of devloop for both.',
  ),
  'protocol/invalid': entry('A message is not valid.', 'Send a message as docs/protocol.md describes.'),
  'protocol/unauthorized': entry('The token is missing or wrong.', 'Read the token from the discovery file.'),
  'protocol/slow': entry('The client did not read for too long.', 'Connect again; the state is sent anew.'),
  'request/unknown-resource': entry('There is no such resource.', 'Use a name that `devloop status` lists.'),
  'request/unknown-method': entry('There is no such request.', 'See docs/protocol.md for the requests.'),
  'request/read-only': entry(
    'This client may read, and change nothing.',
    'Connect with the token of the discovery file, and not with its readToken.',
  ),
  'request/cancelled': entry('The request was called off.', 'Send it again if it is still wanted.'),
  'request/refused': entry('The request cannot be carried out now.', 'Read the reason in the error.'),
  usage: entry('The command line is not valid.', 'See --help.'),
  timeout: entry('It took too long.', 'Look at what the error says it waited for.'),
  defect: entry('devloop itself has a defect.', 'Please report it with the output of the log.'),
} as const satisfies Record<string, ErrorCodeEntry>

export type ErrorCode = keyof typeof errorCodes
