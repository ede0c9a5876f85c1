// Files behind a web server that runs as any user: the built files of front ends, and static sites.
import { imageUser, shareWithGroup, type Line } from '../dockerfile-text.js'

/** Where the web server of the base image has its files. */
export const siteFolder = '/usr/share/nginx/html'
/** Where it listens. */
export const sitePort = 8080

export interface Site {
  readonly image: string
  /** Stage that the files are copied from; undefined: they are in the context. */
  readonly from?: string
  readonly folder: string
  /** Whether a path without a file answers with index.html, as apps want that have pages of their own. */
  readonly fallback: boolean
  readonly stage?: string
}

/** The lines of a stage that serves files on port 8080. */
export function siteLines({ image, from, folder, fallback, stage = 'prod' }: Site): readonly Line[] {
  const otherwise = fallback ? '/index.html' : '=404'
  const config = `server { listen ${sitePort}; root ${siteFolder}; location / { try_files $uri $uri/ ${otherwise}; } }`
  return [
    `FROM ${image} AS ${stage}`,
    'USER 0',
    `WORKDIR ${siteFolder}`,
    `RUN rm -rf ./* && echo '${config}' > /etc/nginx/conf.d/default.conf`,
    `COPY ${from === undefined ? '' : `--from=${from} `}${folder} .`,
    `RUN ${shareWithGroup()}`,
    `USER ${imageUser}`,
    `EXPOSE ${sitePort}`,
    'CMD ["nginx", "-g", "daemon off;"]',
  ]
}
