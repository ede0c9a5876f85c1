// Names that others must accept.

/** A user name as a DNS label: what Kubernetes names may be made of. */
export const userLabel = (user: string): string =>
  user
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40) || 'user'
