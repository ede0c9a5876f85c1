// Labels and annotations that devloop puts on what it applies, and reads back from it. The one place that spells them.

/** On every object and pod template, but for those of Helm releases: `devloop`. */
export const managedByLabel = 'app.kubernetes.io/managed-by'
export const managedBy = 'devloop'
/** On every object and pod template: the project's name. */
export const projectLabel = 'devloop.dev/project'
/** On every object and pod template: the instance; two working copies never touch each other's objects. */
export const instanceLabel = 'devloop.dev/instance'
/** On every object and pod template: the resource that it belongs to. */
export const resourceLabel = 'devloop.dev/resource'
/**
 * On pod templates: hash of the template, the same value as Deployed.template. A pod that carries another value is of an
 * earlier deploy.
 */
export const templateLabel = 'devloop.dev/template'
/**
 * On pod templates: JSON object of container name to the name (ImageSpec.name) of the built image that the container runs.
 * Containers that run no built image are left out; the annotation is left out when it would be `{}`.
 */
export const imagesAnnotation = 'devloop.dev/images'
/** On pod templates: comma-separated names of the containers whose main process the restart wrapper can replace in place. */
export const restartableAnnotation = 'devloop.dev/restartable'
/**
 * On pod templates: when the images that it runs were built. An image that had to be built again because devloop's record of it was
 * lost may be the same, but what was written into the containers that run it is not known any more: they are replaced.
 */
export const builtAnnotation = 'devloop.dev/built'
/** On pod templates: hash of what they use of configs, so that a change of that rolls out. */
export const configAnnotation = 'devloop.dev/config'
/** On pod templates with the agent in them: its version. */
export const agentAnnotation = 'devloop.dev/agent'
/**
 * On any object, by its owner: `"true"` = it is never deleted because it left the plan or by `devloop down`, but let go: it stays,
 * without devloop's labels.
 */
export const keepAnnotation = 'devloop.dev/keep'
/** Written by users, `true`: the object may be deleted and made anew where it cannot be changed, whatever it holds. */
export const replaceAnnotation = 'devloop.dev/replace'
/** On a namespace that devloop made: `PROJECT.INSTANCE` that it was made for. */
export const madeForAnnotation = 'devloop.dev/made-for'
/** On a namespace that devloop made: whose it is, as `userSlug` writes the user's name. */
export const ownerLabel = 'devloop.dev/owner'
/** On a namespace that devloop made: whose it is, by the user name that the API server knows. */
export const ownerUserAnnotation = 'devloop.dev/owner-user'
/** On a namespace that devloop made: from when on it may be deleted, as RFC 3339 writes times. Renewed while it is used. */
export const expiresAnnotation = 'devloop.dev/expires'
/** Field manager of every write. */
export const fieldManager = 'devloop'

/** The label selector of everything that a project's instance applied. Not by who manages it: that may be Helm. */
export const ownedSelector = (owner: { readonly project: string; readonly instance: string }): string =>
  `${projectLabel}=${owner.project},${instanceLabel}=${owner.instance}`
