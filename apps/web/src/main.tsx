import './wardline/no-eval.ts'
import '@fontsource-variable/atkinson-hyperlegible-next/wght.css'
import './theme/tokens.css'
import './theme/base.css'
import { createWardline } from '@wardline/client'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { indexedDbRecords } from './vault/indexed-db-records.ts'
import { sealedOutboxStore } from './vault/outbox-store.ts'
import { sealedRecords } from './vault/sealed-records.ts'

const vault = sealedRecords(indexedDbRecords())
const wardline = createWardline({ url: location.origin, outboxStore: sealedOutboxStore(vault) })

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <App wardline={wardline} vault={vault} />
  </StrictMode>,
)
