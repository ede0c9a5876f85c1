// An image: how its build goes or went, step by step.
import { harmless } from '../../client/status/harmless.js'
import { buildWords, stepMark, stepTime } from '../../client/status/image-words.js'
import type { ImageView } from '../../protocol/messages.js'
import { usePage } from '../page-context.js'
import { Ago } from './age.js'
import { ErrorBlock } from './error-block.js'
import { Dot, ToneText } from './tone-text.js'

export function BuildSteps({ image }: { readonly image: ImageView }) {
  const now = usePage().now.value
  const built = image.state === 'building' || image.buildMs !== undefined
  const done = image.steps.filter((step) => step.state !== 'running').length
  return (
    <div class="image">
      <h4>
        <code>{image.name}</code>{' '}
        {built ? <ToneText {...buildWords(image)} class="small" /> : <span class="quiet small">{image.state}</span>}
      </h4>
      <p class="quiet small">
        {image.files} files, {image.overlay} of them synced since the build
        {image.bases && image.bases.length > 0 && `; on ${image.bases.join(', ')}`}
        {image.reason !== undefined && `; built because ${image.reason}`}
        {image.builtAt !== undefined && (
          <>
            ; <Ago at={image.builtAt} />
          </>
        )}
      </p>
      {image.state === 'building' && image.steps.length > 0 && (
        <progress value={done} max={image.steps.length} aria-label={`Build of ${image.name}`}>
          {done} of {image.steps.length}
        </progress>
      )}
      <ol class="steps">
        {image.steps.map((step, index) => (
          <li key={index} class={`step step-${step.state}`}>
            <Dot tone={stepMark(step).tone} />
            <span class="step-name">{harmless(step.name)}</span>
            <span class="step-time">{stepTime(step, now)}</span>
            {step.tail && step.tail.length > 0 && <pre class="words">{step.tail.map(harmless).join('\n')}</pre>}
          </li>
        ))}
      </ol>
      {image.error && <ErrorBlock error={image.error} />}
    </div>
  )
}
