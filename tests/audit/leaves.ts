/** What an allowed call leaves where that is not the action which policy was asked about: the act has a name of its own. */
export const ROUTES_LEAVE: Readonly<Record<string, readonly string[]>> = {
  'POST /auth/step-up/options': ['auth.step-up'],
  'POST /me/factors/totp/confirm': ['factor.enrol'],
  'POST /me/factors/passkeys/confirm': ['factor.enrol'],
  'POST /me/factors/recovery-codes': ['factor.recovery-codes'],
  'DELETE /me/factors/:id': ['factor.remove'],
  'POST /me/password': ['password.change'],
  'DELETE /me/devices/:id': ['device.revoke'],
  'POST /admin/users': ['user.create'],
  'PATCH /admin/users/:id': ['user.update'],
  'POST /admin/care-team': ['care-team.assign'],
  // One that has not begun is changed, and not ended.
  'DELETE /admin/care-team/:id': ['care-team.end', 'care-team.assign'],
  'DELETE /admin/devices/:id': ['device.revoke'],
  'POST /admin/tokens/revoke': ['token.revoke'],
  'POST /admin/sessions/:id/renew': ['session.demand'],
  'POST /admin/audit/holds': ['audit.hold'],
  'DELETE /admin/audit/holds/:id': ['audit.hold-release'],
  'PATCH /admin/audit/policy': ['audit.policy'],
  'PATCH /admin/roles/:name': ['role.update'],
  'POST /admin/audit/filters': ['audit.filter-save'],
  'DELETE /admin/audit/filters/:id': ['audit.filter-remove'],
  'POST /admin/audit/reviews': ['audit.review-open'],
  'POST /admin/audit/reviews/:id/marks': ['audit.review-mark'],
  'PUT /admin/alert-webhook': ['webhook.change'],
  'POST /admin/alert-webhook/test': ['webhook.test'],
  'DELETE /admin/alert-webhook': ['webhook.change'],
}

/** What each frame leaves when it is allowed; or, in words, why it leaves nothing. */
export const FRAMES_LEAVE: Readonly<Record<string, readonly string[] | string>> = {
  'channel.subscribe': ['channel.subscribe'],
  'channel.unsubscribe': ['channel.unsubscribe'],
  'message.post': ['message.post'],
  'message.correct': ['message.correct'],
  'message.recall': ['message.recall'],
  'message.acknowledge': ['message.acknowledge'],
  'receipt.mark': ['receipt.mark'],
  'typing.set': 'ephemeral (R-49): nothing of it is kept anywhere, and it reads nothing; refused, it leaves its event',
  'presence.set': 'ephemeral (R-49), as typing is',
  'session.renew': ['session.renew'],
  'session.ping': 'says nothing about anything',
  'session.activity':
    'that somebody is there, every few seconds; what follows of it (a lock, an unlocking) leaves its event',
}
