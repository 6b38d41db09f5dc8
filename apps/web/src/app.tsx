import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import type { Wardline } from '@wardline/client'
import { WardlineError } from '@wardline/client'
import { EnrolGate } from './account/enrol-screen.tsx'
import { router } from './router.tsx'
import { SessionGate } from './session/session-gate.tsx'
import { SettingsProvider } from './settings/settings.tsx'
import { Announcer } from './shell/announcer.tsx'
import type { SealedRecords } from './vault/sealed-records.ts'
import { FoundationProvider } from './wardline/context.tsx'

/** What cannot succeed is not asked again; what can, twice more. */
function worthRetrying(count: number, error: unknown): boolean {
  return count < 2 && (!(error instanceof WardlineError) || error.retry === 'later')
}

const queries = new QueryClient({
  defaultOptions: { queries: { retry: worthRetrying, networkMode: 'always' }, mutations: { networkMode: 'always' } },
})

interface AppProps {
  readonly wardline: Wardline
  readonly vault: SealedRecords
}

export function App({ wardline, vault }: AppProps) {
  return (
    <SettingsProvider>
      <FoundationProvider wardline={wardline} vault={vault}>
        <QueryClientProvider client={queries}>
          <Announcer>
            <SessionGate>
              <EnrolGate>
                <RouterProvider router={router} />
              </EnrolGate>
            </SessionGate>
          </Announcer>
        </QueryClientProvider>
      </FoundationProvider>
    </SettingsProvider>
  )
}
