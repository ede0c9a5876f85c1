// The pages of the commands, by name. docs/cli.md is made from them.
import type { HelpPage } from './page.js'

const behind = 'What stands after -- is given to the Devloopfile as `args`.'

export const helpPages: Readonly<Record<string, HelpPage>> = {
  watch: {
    text: [
      'Loads the Devloopfile, builds and deploys what it names, and then brings each save into the running pods, until Ctrl-C. On a terminal it shows a live view; elsewhere it writes plain lines of stable shape, for scripts and problem matchers.',
      'What was deployed stays when it ends: `devloop down` deletes it. With --detach, the daemon goes on in the background, as a process of a session of its own, when this command and its terminal are gone.',
      behind,
    ],
    examples: [
      { run: 'devloop watch', does: 'Work on everything that the Devloopfile names.' },
      { run: 'devloop watch api -l frontend', does: 'Only the resource api and those labelled frontend, with what they need.' },
      {
        run: 'devloop watch --runtime process',
        does: 'The same apps as processes of this machine, with no cluster and no Docker.',
      },
      {
        run: 'devloop watch --detach && devloop status --wait ready',
        does: 'Start it in the background, and go on when all is ready.',
      },
      {
        run: 'devloop watch --notify desktop',
        does: 'Tell what fails, and what is well again, as notifications of the desktop.',
      },
      { run: 'devloop watch -- --debug', does: 'Give the Devloopfile an argument.' },
    ],
    files: {
      'Devloopfile.ts': 'what is watched, in this folder or the nearest above',
      '$XDG_STATE_HOME/devloop/INSTANCE/watch.log':
        'what a daemon in the background has to say: at most 5 MB, with one older file beside it',
      '$XDG_STATE_HOME/devloop/INSTANCE/daemon.log': 'warnings and errors of the daemon, as JSON lines',
    },
    environment: { DEVLOOP_NOTIFY: 'what --notify is when it is not given' },
    see: ['devloop status', 'devloop open', 'devloop stop', 'docs/devloopfile.md', 'docs/live-sync.md'],
  },
  ci: {
    text: ['Stops at the first moment at which it is certain that it cannot pass any more.', behind],
    examples: [
      {
        run: 'devloop ci --timeout 10m --junit report.xml',
        does: 'Run the plan in a pipeline, with a report that the pipeline can show.',
      },
      { run: 'devloop ci --down', does: 'Delete everything at the end.' },
    ],
    exits: { 0: 'all is built, deployed and ready, and all Jobs have succeeded', 1: 'something has not; stdout says what' },
    see: ['docs/ci.md'],
  },
  list: {
    text: [
      'Shows each daemon with its project, how it is, its process, the address of its page and its Devloopfile. What daemons that were killed have left behind is taken away in passing.',
    ],
    examples: [
      { run: 'devloop list', does: 'Which projects are being worked on, and how they are.' },
      { run: "devloop list --json | jq -r '.daemons[].devloopfile'", does: 'The Devloopfiles, for a script.' },
    ],
    files: { '$XDG_RUNTIME_DIR/devloop/INSTANCE.json': 'where a daemon says where it is; only its user may read it' },
    see: ['devloop stop', 'devloop open'],
  },
  stop: {
    text: [
      'Asks the daemon to end, and waits until it has. What it deployed stays in the cluster, as it does after Ctrl-C; `devloop down` deletes that, too.',
    ],
    examples: [
      { run: 'devloop stop', does: 'End the daemon of the project in this folder.' },
      { run: 'devloop stop shop', does: 'End the daemon of the project shop, wherever it is.' },
      { run: 'devloop stop --all', does: 'End every daemon of this user.' },
    ],
    exits: { 1: 'none runs for that project, or it has not ended in time' },
    see: ['devloop list', 'devloop down'],
  },
  attach: {
    text: [
      'The same view as that of `devloop watch`, in as many terminals as you like. `q`, Ctrl-C and the end of the terminal end the view alone: the daemon runs on. It ends with the daemon, too. What it shows, and its keys: docs/terminal.md, and `?` in it.',
    ],
    examples: [
      { run: 'devloop attach', does: 'The view of the daemon of the project in this folder.' },
      { run: 'devloop attach --read-only shop', does: 'That of another project, to look at and to change nothing.' },
    ],
    environment: { NO_COLOR: 'no colours', TERM: 'with `dumb`, plain lines are written, as without a terminal' },
    exits: { 0: 'after `q`, or when the daemon ended', 1: 'the daemon was lost', 130: 'after Ctrl-C' },
    see: ['devloop watch', 'devloop stop', 'docs/terminal.md'],
  },
  open: {
    text: [
      'The address holds the token of the daemon, in the part that browsers keep to themselves: who has it may do with the daemon what you may, or with --read-only only see it. Over ssh, and where there is no browser, it is printed, with how to forward the port.',
    ],
    examples: [
      { run: 'devloop open', does: 'Show the page of the project in this folder.' },
      { run: 'devloop open --print', does: 'Only print its address, to copy it.' },
      { run: 'devloop open --read-only --print', does: 'The address for one who may only look.' },
    ],
    environment: {
      BROWSER: 'programs, with colons, of which the first that is there shows the page; %s stands for the address',
      DISPLAY: 'without it and WAYLAND_DISPLAY, and on a Mac over ssh, there is no screen for a browser',
    },
    see: ['devloop list', 'docs/protocol.md'],
  },
  status: {
    text: [
      'With --wait ready, waits until all of these are ready: built, deployed, synced and answering. With --wait live, waits in addition until every change that was saved before the command was started is in the running containers; it ends at once when one of them, or a resource, has failed. Half a second is given to devloop to notice what was just saved.',
    ],
    examples: [
      { run: 'devloop status', does: 'All resources, and in full what is wrong.' },
      { run: 'devloop status --changes', does: 'What was saved last, and where the time went.' },
      { run: 'devloop status --wait ready --timeout 5m', does: 'Wait until all is ready, such as before tests.' },
      {
        run: 'sed -i s/v1/v2/ src/version.js && devloop status --wait live api',
        does: 'Change something, and go on when it runs.',
      },
      {
        run: 'devloop status --json | jq \'.resources[] | select(.status == "failed").error\'',
        does: 'What failed, for a script.',
      },
    ],
    exits: { 1: 'with --wait: it did not come to that in time, or a change failed' },
    see: ['devloop why', 'devloop events', 'docs/protocol.md'],
  },
  logs: {
    examples: [
      { run: 'devloop logs -f', does: 'Everything, as it comes.' },
      { run: 'devloop logs api --since 5m', does: 'What api wrote in the last five minutes.' },
      { run: 'devloop logs -f --level warn --grep timeout', does: 'Warnings and errors of everybody that speak of a timeout.' },
      { run: 'devloop logs -l backend --raw --tail 100', does: 'The last 100 lines of a group, as they were written.' },
    ],
    see: ['devloop status', 'devloop exec'],
  },
  events: {
    text: [
      'The first line tells of the daemon (`begin`), then come the whole state and each change of it: `upsert` with a view, whole, or `remove` with its key; at last `end`. The last line of what changed at once has a `place`: given to --since, it goes on behind it, so that a script that starts again misses nothing. Where the daemon has ended since, or remembers that far no more, the state comes whole again, after `begin`; else after `resumed`.',
    ],
    examples: [
      {
        run: 'devloop events --kinds change | jq --unbuffered -r \'select(.view.outcome == "live").view.liveMs\'',
        does: 'How long each save took, as it becomes live.',
      },
      { run: 'devloop events api --kinds resource', does: 'Only what becomes of api.' },
      { run: 'devloop events --since "$(cat place)"', does: 'Go on where an earlier run stopped.' },
    ],
    see: ['docs/protocol.md#state', 'devloop status --json'],
  },
  why: {
    examples: [
      { run: 'devloop why services/api/src/server.js', does: 'What a save of this file leads to, and by which rule.' },
      { run: 'devloop why api', does: 'What api is doing, what it waits for, and whether it reaches what it uses.' },
    ],
    see: ['devloop verify', 'docs/live-sync.md'],
  },
  verify: {
    text: ['The containers hash their files themselves; nothing is written.'],
    examples: [
      { run: 'devloop verify', does: 'All containers that are synced.' },
      { run: 'devloop verify api --json', does: 'Those of api, for a script.' },
    ],
    exits: { 0: 'all is in sync', 1: 'something differs or cannot be told' },
    see: ['devloop why'],
  },
  trigger: {
    examples: [
      { run: 'devloop trigger api', does: 'Build and deploy api again.' },
      { run: 'devloop trigger codegen', does: 'Run a local again.' },
      { run: 'devloop trigger -l backend', does: 'With manual trigger: let go what waits in a group.' },
    ],
    see: ['devloop status --wait live'],
  },
  enable: {
    text: ['What was enabled or disabled so stays so when the Devloopfile is loaded again, and ends with the daemon.'],
    examples: [{ run: 'devloop enable web', does: 'Start web, and what it needs.' }],
    see: ['devloop disable'],
  },
  disable: {
    text: ['What was enabled or disabled so stays so when the Devloopfile is loaded again, and ends with the daemon.'],
    examples: [{ run: 'devloop disable -l heavy', does: 'Take a group out of the cluster while nobody needs it.' }],
    see: ['devloop enable'],
  },
  args: {
    examples: [
      { run: 'devloop args', does: 'What the Devloopfile gets now.' },
      { run: 'devloop args -- --debug', does: 'Give it this instead, and load it again.' },
      { run: 'devloop args --remote db', does: 'Take the database as it is released.' },
    ],
    see: ['docs/devloopfile.md'],
  },
  exec: {
    text: ['It ends with the exit code of the command.'],
    examples: [
      { run: 'devloop exec api', does: 'A shell in the newest pod of api.' },
      { run: 'devloop exec api -- npm test', does: 'Run the tests where the app runs.' },
    ],
    see: ['devloop logs'],
  },
  render: {
    text: [
      'Secrets are printed as they would be applied. An image that is not built yet stands as NAME:not-built-yet, which stderr says.',
      behind,
    ],
    examples: [
      { run: 'devloop render api', does: 'The objects of api.' },
      { run: 'devloop render | kubectl apply --dry-run=server -f -', does: 'Ask the cluster whether it would take them.' },
    ],
    see: ['devloop diff', 'devloop eject'],
  },
  eject: {
    text: [
      'Values of Secrets are never written: secrets.yaml.template names them. The cluster is only asked whether it has Routes, and only where that matters.',
      behind,
    ],
    examples: [
      { run: 'devloop eject api --dir deploy --output kustomize', does: 'A kustomization of api, to go on with by hand.' },
      {
        run: 'devloop eject api --image shop/api=registry.example.com/shop/api:1.4',
        does: 'What a pipeline would apply, with its image.',
      },
    ],
    see: ['docs/outer-loop.md'],
  },
  diff: {
    text: [behind],
    examples: [{ run: 'devloop diff', does: 'What `devloop watch` would change if it were started now.' }],
    exits: { 0: 'nothing would change', 1: 'something would', 3: 'failure' },
    see: ['devloop render'],
  },
  down: {
    text: [behind],
    examples: [
      { run: 'devloop down', does: 'Delete all that was deployed, and end the daemon.' },
      { run: 'devloop down --delete-generated --delete-namespace', does: 'Leave nothing at all.' },
      { run: 'devloop down --expired', does: 'Delete your namespaces that nobody has used for their time.' },
    ],
    see: ['devloop stop', 'docs/ci.md#devloop-down'],
  },
  doctor: {
    text: [
      'Tried for real: the engine builds a small image, which is removed; the image of the agent is pushed, as by `devloop watch`; a pod of it runs for a moment in your namespace, and is deleted. With --read-only, none of this is done, and nothing is written anywhere.',
      behind,
    ],
    examples: [
      { run: 'devloop doctor', does: 'Look at this machine and the cluster.' },
      { run: 'devloop doctor --json | jq \'.checks[] | select(.status == "failed")\'', does: 'What is missing, for a script.' },
    ],
    exits: { 0: 'nothing that is needed is missing', 1: 'something is' },
    see: ['docs/access.md'],
  },
  snapshot: {
    text: [
      'The file opens in any browser, asks nobody for anything, and only its owner may read it. Values of Secrets, tokens and passwords are taken out, as far as devloop knows them; what your apps wrote into their log is in it.',
    ],
    examples: [
      { run: 'devloop snapshot', does: 'The page as it is now, with the newest 20,000 lines of the log.' },
      { run: 'devloop snapshot --tail 0 --output page.html', does: 'Without the log, into a file of this name.' },
    ],
    see: ['docs/page.md', 'devloop dump'],
  },
  dump: {
    text: [
      "In the file: the state and what happened lately, versions, the variables that devloop heeds, the Devloopfile and the plan without values, the daemon's log, and what `devloop doctor --read-only` finds. Nothing is sent anywhere, only its owner may read it, and values of Secrets, tokens and passwords are taken out, as far as devloop knows them: look at it before you pass it on.",
      'Where the daemon hangs or does not run, all else is in it.',
      behind,
    ],
    examples: [{ run: 'devloop dump', does: 'One JSON file, for a bug report.' }],
    files: { '~/.local/state/devloop/INSTANCE/daemon.log': 'what the daemon wrote into its log' },
    see: ['docs/troubleshooting.md#devloop-itself', 'devloop snapshot'],
  },
  provision: {
    text: [
      'What the namespace holds is what cluster.sandbox of the Devloopfile says, if there is one. Run again, it changes only what differs.',
    ],
    examples: [
      { run: 'devloop provision --user ann --group devs --dry-run', does: 'Ask the cluster what would be made for ann.' },
      { run: 'devloop provision --user ann --kubeconfig ann.yaml', does: 'Make it, with a kubeconfig to hand over.' },
    ],
    see: ['docs/access.md'],
  },
  prune: {
    text: [
      'Kept is what runs in the cluster, and the newest builds: see `settings.prune` in docs/devloopfile.md. A running devloop does the same by itself, after builds and at most once an hour.',
    ],
    examples: [{ run: 'devloop prune --dry-run', does: 'What would be removed, and how large it is.' }],
    see: ['docs/devloopfile.md'],
  },
  init: {
    text: ['Nothing that is there is overwritten. Dockerfiles, Compose files, manifests and charts that are there are used.'],
    examples: [
      { run: 'devloop init && devloop watch', does: 'From bare sources to something that runs.' },
      { run: 'devloop init --dry-run', does: 'Only show what would be written.' },
      { run: 'devloop init --yes --mirror registry.example.com/hub', does: 'Ask nothing, and take base images from a mirror.' },
    ],
    files: { '~/.config/devloop/bases.yaml': 'base images of your own, for all projects' },
    see: ['docs/init.md', 'docs/getting-started.md'],
  },
  completion: {
    text: [
      'The script asks devloop for each word, so that names of resources and labels are those of the running daemon. Where none runs, they are left out.',
    ],
    examples: [
      { run: 'source <(devloop completion bash)', does: 'For this shell; in ~/.bashrc, for each.' },
      { run: 'devloop completion zsh > "${fpath[1]}/_devloop"', does: 'For zsh, once.' },
      { run: 'devloop completion fish > ~/.config/fish/completions/devloop.fish', does: 'For fish, once.' },
    ],
  },
  version: { examples: [{ run: 'devloop version', does: 'The version of devloop.' }] },
}
