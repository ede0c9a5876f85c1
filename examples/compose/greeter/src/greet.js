export const greet = (word) => `${word} world`
