// A config as the outer loop has it. Pure.
import type { ConfigValues } from '../../../model/config-values.js'
import type { ConfigSpec, KubeObject } from '../../../model/plan.js'
import { renderConfig } from '../deploy/render-config.js'
import { released } from './released.js'

/** @param values of a secret one, what stands for them @param project its name */
export function ejectConfig(spec: ConfigSpec, values: ConfigValues, project: string): KubeObject {
  const [rendered] = renderConfig(spec, values, { project, instance: project, resource: spec.name }, '').objects
  if (!rendered) throw new Error(`${spec.name} became no object`)
  const object = released(rendered.object)
  return { ...object, metadata: { ...object.metadata, labels: { 'app.kubernetes.io/part-of': project } } }
}
