// Readiness of an app's container as Kubernetes asks for it.
import type { AppSpec, ProbeSpec } from '../../../model/plan.js'
import { literally } from './expansion.js'

/** Kubernetes' own limit of a count: a container that is not ready is asked again, and never killed for it. */
const forever = 1_000_000

/** The probes of a container; none for one that is ready once it runs, or that runs to its end. */
export function probesOf(app: AppSpec): object {
  if (app.job || app.probe === false) return {}
  if (app.probe) return asked(app.debug ? patient(app.probe) : app.probe, app.ports)
  const [first] = Object.values(app.ports)
  if (first === undefined) return {}
  // many failures are let pass: a restart in place must not take the pod out of its Service
  return { readinessProbe: { tcpSocket: { port: first }, periodSeconds: 1, failureThreshold: 30 } }
}

/** Who stands at a breakpoint does not answer. */
const patient = (probe: ProbeSpec): ProbeSpec => ({ ...probe, timeout: 600, failures: 1_000 })

function asked({ check, period, startPeriod, timeout, failures }: ProbeSpec, ports: AppSpec['ports']): object {
  const number = (port: string | number): number => (typeof port === 'number' ? port : (ports[port] ?? 0))
  const handler =
    check.kind === 'exec'
      ? { exec: { command: check.command.map(literally) } }
      : check.kind === 'tcp'
        ? { tcpSocket: { port: number(check.port) } }
        : { httpGet: { port: number(check.port), path: check.path } }
  const readinessProbe = { ...handler, periodSeconds: period, timeoutSeconds: timeout, failureThreshold: failures }
  if (startPeriod >= period) return { readinessProbe }
  // asked more often until it has been ready once; a startup probe is all that Kubernetes has for that
  return {
    startupProbe: { ...handler, periodSeconds: startPeriod, timeoutSeconds: timeout, failureThreshold: forever },
    readinessProbe,
  }
}
