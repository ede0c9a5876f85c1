// Kubernetes replaces `$(NAME)` and `$$` in commands, arguments and environment values.

/** The text as it must be written so that Kubernetes makes exactly this of it. */
export const literally = (text: string): string => text.replace(/\$(?=[$(])/g, '$$$$')
