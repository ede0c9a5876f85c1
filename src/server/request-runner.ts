// Runs one request of a client and puts its outcome in the form of a reply.
import { isAbort, isDevloopError, toErrorInfo, DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import { rpcErrors, type ReplyMessage, type RequestMessage, type Requests } from '../protocol/messages.js'
import type { RequestHandlers, RequestOrigin } from './request-handlers.js'
import { mayCall } from './access.js'
import { isMethod, parseParams } from './validate.js'

/** Never rejects: whatever a handler throws becomes a reply, and what is not operational is reported as a defect too. */
export async function runRequest(
  request: RequestMessage,
  handlers: RequestHandlers,
  onDefect: (error: unknown) => void,
  origin: RequestOrigin,
): Promise<ReplyMessage> {
  const { id, method } = request
  const failed = (code: number, data: ErrorInfo): ReplyMessage => failure(id, code, data)
  if (!isMethod(method))
    return failed(
      rpcErrors.unknownMethod,
      new DevloopError('request/unknown-method', `There is no request ${JSON.stringify(method.slice(0, 80))}.`).info,
    )
  if (!mayCall(origin.access, method))
    return failed(
      rpcErrors.operational,
      new DevloopError('request/read-only', `Request ${method} is not for clients that only read.`).info,
    )
  let params: Requests[typeof method]['params']
  try {
    params = parseParams(method, request.params)
  } catch (error) {
    return failed(rpcErrors.invalidParams, toErrorInfo(error))
  }
  try {
    // The method and its parameters belong together by parseParams; the compiler cannot follow that over a union.
    const handler = handlers[method] as (params: unknown, origin: RequestOrigin) => unknown
    return { jsonrpc: '2.0', id, result: (await handler(params, origin)) ?? null }
  } catch (error) {
    if (origin.signal.aborted && (isAbort(error) || error === origin.signal.reason)) return cancelled(request)
    if (isDevloopError(error)) return failed(rpcErrors.operational, error.info)
    onDefect(error)
    return failed(rpcErrors.internal, toErrorInfo(error))
  }
}

/** The reply to a request that was called off. */
export const cancelled = ({ id, method }: RequestMessage): ReplyMessage =>
  failure(id, rpcErrors.operational, new DevloopError('request/cancelled', `Request ${method.slice(0, 80)} was called off.`).info)

const failure = (id: RequestMessage['id'], code: number, data: ErrorInfo): ReplyMessage => ({
  jsonrpc: '2.0',
  id,
  error: { code, message: data.message, data },
})
