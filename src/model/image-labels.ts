// Labels that devloop puts on the images that it builds. Images built on them inherit them, so a label alone says nothing.

/** ImageSpec.name. */
export const imageLabel = 'dev.devloop.image'
/** The instance that built it. */
export const instanceLabel = 'dev.devloop.instance'
