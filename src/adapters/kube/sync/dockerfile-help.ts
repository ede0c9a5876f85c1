// What to write into a Dockerfile, or beside it, so that live sync can work in containers of the image.

const till = 'Until then, saves rebuild the image.'

export const noShellHelp = `Use a base image with sh for development, or put one in: \`COPY --from=busybox:musl /bin/ /bin/\` in the Dockerfile. ${till}`

export const noToolHelp = (tool: string): string =>
  `Put ${tool} into the image: \`COPY --from=busybox:musl /bin/busybox /bin/${tool}\` in the Dockerfile. ${till}`

/** @param folder what a rule syncs to @param user such as `1000 (node)` */
export function permissionHelp(folder: string, user: string): string {
  const [id = ''] = user.split(' ')
  if (!/^[1-9]\d*$/.test(id))
    return `Let user ${user} write to ${folder}: by its mode, or by the rights of the pod's container. ${till}`
  // as OpenShift chooses them; the image cannot know who that will be
  if (Number(id) >= 1_000_000)
    return `Let its group write there: \`RUN chgrp -R 0 ${folder} && find ${folder} -type d -exec chmod g+rwx {} +\` in the Dockerfile, as root. ${till}`
  return `Give the folder to that user: \`RUN chown -R ${id} ${folder}\` in the Dockerfile, as root. ${till}`
}

/** @param folder what a rule syncs to */
export const readOnlyHelp = (folder: string): string =>
  `No line of a Dockerfile makes it writable: mount a volume at ${folder} that is filled first, or leave \`readOnlyRootFilesystem\` out for development. ${till}`
