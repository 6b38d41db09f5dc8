import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { alertsSearch } from './alerts/search.ts'
import { auditSearch } from './audit/search.ts'
import { ConversationsProvider } from './messages/conversations.tsx'
import { peopleSearch } from './people/search.ts'
import { ClinicalLayout } from './shell/clinical-layout.tsx'
import { Crashed, NotFound } from './shell/crashed.tsx'
import { Frame } from './shell/frame.tsx'
import { PlainHome } from './shell/home.tsx'
import { useAbility } from './wardline/context.tsx'

/** Whoever reads messages gets the panes; everybody else a start that says what their role is for. */
function Clinical() {
  return useAbility('channel.read') ? (
    <ConversationsProvider>
      <ClinicalLayout />
    </ConversationsProvider>
  ) : (
    <PlainHome />
  )
}

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound, errorComponent: Crashed })
const clinical = createRoute({ getParentRoute: () => root, id: 'clinical', component: Clinical })
const inbox = createRoute({ getParentRoute: () => clinical, path: '/' })
const conversation = createRoute({ getParentRoute: () => clinical, path: '/c/$channelId' })
const about = createRoute({ getParentRoute: () => clinical, path: '/c/$channelId/about' })
/** For auditors and administrators: its script is fetched when it is first opened. */
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./audit/audit-screen.tsx'), 'AuditScreen'),
})

const reviews = createRoute({
  getParentRoute: () => root,
  path: '/audit/reviews',
  component: lazyRouteComponent(() => import('./audit/reviews-screen.tsx'), 'ReviewsScreen'),
})

const keeping = createRoute({
  getParentRoute: () => root,
  path: '/audit/keeping',
  component: lazyRouteComponent(() => import('./audit/keeping-screen.tsx'), 'KeepingScreen'),
})

const people = createRoute({
  getParentRoute: () => root,
  path: '/people',
  component: lazyRouteComponent(() => import('./people/people-screen.tsx'), 'PeopleScreen'),
})

const roles = createRoute({
  getParentRoute: () => root,
  path: '/people/roles',
  component: lazyRouteComponent(() => import('./people/roles-screen.tsx'), 'RolesScreen'),
})
const careTeams = createRoute({
  getParentRoute: () => root,
  path: '/people/care-teams',
  validateSearch: peopleSearch,
  component: lazyRouteComponent(() => import('./people/care-teams-screen.tsx'), 'CareTeamsScreen'),
})
const signIns = createRoute({
  getParentRoute: () => root,
  path: '/people/sign-ins',
  validateSearch: peopleSearch,
  component: lazyRouteComponent(() => import('./people/sign-ins-screen.tsx'), 'SignInsScreen'),
})

const connections = createRoute({
  getParentRoute: () => root,
  path: '/people/connections',
  validateSearch: peopleSearch,
  component: lazyRouteComponent(() => import('./people/connections-screen.tsx'), 'ConnectionsScreen'),
})

/** Two addresses of one screen: the list alone, or beside one of it. */
const alertsScreen = lazyRouteComponent(() => import('./alerts/alerts-screen.tsx'), 'AlertsScreen')
const alerts = createRoute({
  getParentRoute: () => root,
  path: '/alerts',
  validateSearch: alertsSearch,
  component: alertsScreen,
})
const alert = createRoute({
  getParentRoute: () => root,
  path: '/alerts/$alertId',
  validateSearch: alertsSearch,
  component: alertsScreen,
})

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  component: lazyRouteComponent(() => import('./policy/policy-screen.tsx'), 'PolicyScreen'),
})

/** The addresses of the app. They hold ids and filters, never ePHI. */
export const router = createRouter({
  routeTree: root.addChildren([
    clinical.addChildren([inbox, conversation, about]),
    audit,
    alerts,
    alert,
    reviews,
    keeping,
    people,
    roles,
    careTeams,
    signIns,
    connections,
    settings,
  ]),
  defaultErrorComponent: Crashed,
  defaultNotFoundComponent: NotFound,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
