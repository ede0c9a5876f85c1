// The addresses at which a resource answers.
import type { EndpointView } from '../../protocol/messages.js'

export function Endpoints({ endpoints }: { readonly endpoints: readonly EndpointView[] }) {
  return (
    <>
      {endpoints.map(({ name, url, state }) => {
        const text = url.replace(/^https?:\/\//, '')
        const title = `${name}: ${state}`
        return /^https?:\/\//.test(url) ? (
          <a
            class={`endpoint endpoint-${state}`}
            href={url}
            target="_blank"
            rel="noopener noreferrer"
            title={title}
            key={name + url}
          >
            {text}
          </a>
        ) : (
          <code class={`endpoint endpoint-${state}`} title={title} key={name + url}>
            {text}
          </code>
        )
      })}
    </>
  )
}
