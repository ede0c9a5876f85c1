export const heading = 'Greeting'
