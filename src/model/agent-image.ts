// The agent's image, as far as its name goes: it is made, pushed and removed like built images, but no plan has it.

/** ImageSpec.name of an image of the plan is never this. */
export const agentImageName = 'devloop-agent'
