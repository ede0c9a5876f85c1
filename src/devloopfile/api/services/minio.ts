// MinIO, storage that speaks S3, by its own image (https://hub.docker.com/r/minio/minio).
import { text, textOf } from '../text.js'
import { makeService } from './service.js'
import type { Minio, MinioOptions } from './types.js'

/**
 * A MinIO server with one bucket. Its secret key is made once in the cluster, its objects are on a volume that outlives its pods, and
 * whoever refers to one of its values waits until it is ready.
 *
 * @param name lower-case letters, digits and `-`, beginning with a letter: also the name of its Service
 * @example
 * const files = minio('files', { bucket: 'uploads', forward: { console: 9001 } })
 * const api = app('api', { image: server, env: { S3_ENDPOINT: files.url, AWS_ACCESS_KEY_ID: files.user, AWS_SECRET_ACCESS_KEY: files.password } })
 */
export function minio(name: string, options: MinioOptions = {}): Minio {
  return makeService<Minio, MinioOptions>(
    {
      kind: 'minio',
      api: minio,
      options: ['user', 'bucket'],
      repository: 'docker.io/minio/minio',
      // the last that its makers published
      version: 'RELEASE.2025-09-07T16-13-09Z',
      user: () => 1000,
      data: '/data',
      memory: '512Mi',
      app: ({ options: { user = 'app', bucket = 'app' }, password }) => ({
        ports: { api: 9000, console: 9001 },
        // with one drive, a folder of it is a bucket
        command: `mkdir -p /data/${bucket} && exec minio server /data --console-address :9001`,
        env: { MINIO_ROOT_USER: user, MINIO_ROOT_PASSWORD: password },
        probe: { http: '/minio/health/ready', port: 'api', period: 5 },
      }),
      values: ({ options: { user = 'app', bucket = 'app' }, password }, made) => ({
        url: text`http://${made.address}`,
        user: text`${user}`,
        password: textOf(made, password),
        bucket: text`${bucket}`,
      }),
      valueNames: ['url', 'user', 'password', 'bucket'],
    },
    name,
    options,
  )
}
