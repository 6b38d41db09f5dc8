import { config } from 'zod'

// zod compiles schemas by `new Function` where it may. Here it may not, and even asking is a violation that the
// browser reports. Imported first, before any schema is made.
config({ jitless: true })
