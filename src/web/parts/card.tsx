// A titled part of a page, and facts in it.
import type { ComponentChildren } from 'preact'

export interface CardProps {
  readonly title: string
  readonly children: ComponentChildren
}

export const Card = ({ title, children }: CardProps) => (
  <section class="card" aria-label={title}>
    <h3>{title}</h3>
    {children}
  </section>
)

/** A card of nothing but facts. */
export const FactCard = ({ title, children }: CardProps) => (
  <Card title={title}>
    <dl class="facts">{children}</dl>
  </Card>
)

export const Fact = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)
