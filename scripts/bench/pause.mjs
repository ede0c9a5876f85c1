// Pauses of random length, so that no measurement falls into step with somebody's timer.
import { setTimeout as delay } from 'node:timers/promises'

export const pauseBetween = (min, max) => delay(min + Math.random() * (max - min))
