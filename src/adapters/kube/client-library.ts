// The one place that loads the Kubernetes client library. It is heavy, so it is imported when a cluster is connected to, not before.
export { KubeConfig } from '@kubernetes/client-node'
