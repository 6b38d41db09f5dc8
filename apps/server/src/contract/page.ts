/** Both descriptions as one page to read: without a script, so that the policy of all other answers holds here too. */
export function contractPage(calls: object, socket: object): string {
  const { paths = {} } = calls as { paths?: Record<string, Record<string, Operation>> }
  const { operations, components } = socket as AsyncDescription
  const ofCalls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => callSection(`${method.toUpperCase()} ${path}`, operation)),
  )
  const ofFrames = Object.entries(operations).map(([type, { action, reply }]) =>
    frameSection(type, action, reply?.messages ?? [], components.messages[type]?.payload),
  )
  const answers = Object.entries(components.messages)
    .filter(([type]) => operations[type] === undefined)
    .map(([type, { payload }]) => section(type, 'server → client, an answer', [['', payload]]))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wardline: the wire contract</title>
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<main>
<h1>Wardline: the wire contract</h1>
<p>Made from the schemas that judge every call and frame. For programs: <a href="/openapi.json">OpenAPI</a>, <a href="/asyncapi.json">AsyncAPI</a>. Rules, limits and close codes are in PROTOCOL.md of the sources.</p>
<h2>Calls over HTTPS</h2>
${ofCalls.join('\n')}
<h2>Frames on the socket</h2>
${[...ofFrames, ...answers].join('\n')}
</main>
</body>
</html>
`
}

type Content = { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> }
type Operation = {
  readonly description?: string
  readonly security?: readonly Readonly<Record<string, unknown>>[]
  readonly parameters?: readonly unknown[]
  readonly requestBody?: Content
  readonly responses?: Readonly<Record<string, Content>>
}
type AsyncDescription = {
  readonly operations: Readonly<
    Record<string, { action: 'send' | 'receive'; reply?: { messages: readonly { $ref: string }[] } }>
  >
  readonly components: { readonly messages: Readonly<Record<string, { payload: unknown }>> }
}
/** What stands over a schema, and the schema. */
type Part = readonly [title: string, schema: unknown]

function callSection(title: string, { description, security, parameters, requestBody, responses }: Operation): string {
  const ways = (security ?? []).map((way) => Object.keys(way).join(' + '))
  const parts: Part[] = parameters === undefined ? [] : [['Parameters', parameters]]
  for (const { schema } of Object.values(requestBody?.content ?? {})) parts.push(['Body', schema])
  for (const [status, { content }] of Object.entries(responses ?? {})) {
    if (status === 'default') continue
    const schemas = Object.values(content ?? {})
    if (schemas.length === 0) parts.push([status, undefined])
    for (const { schema } of schemas) parts.push([status, schema])
  }
  return section(title, [description, ways.join(', or ') || 'for anybody'].filter(Boolean).join(' '), parts)
}

function frameSection(type: string, action: string, reply: readonly { $ref: string }[], payload: unknown): string {
  const direction = action === 'receive' ? 'client → server' : 'server → client'
  const answers = reply.map(({ $ref }) => $ref.slice($ref.lastIndexOf('/') + 1))
  return section(type, [direction, ...(answers.length === 0 ? [] : [`answered by ${answers.join(', ')}`])].join(', '), [
    ['', payload],
  ])
}

function section(title: string, about: string, parts: readonly Part[]): string {
  const bodies = parts.map(([name, schema]) => {
    const heading = name === '' ? '' : `<h3>${escape(name)}</h3>`
    return schema === undefined ? heading : `${heading}<pre>${escape(JSON.stringify(schema, null, 2))}</pre>`
  })
  return `<details><summary><code>${escape(title)}</code></summary><p>${escape(about)}</p>${bodies.join('')}</details>`
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
}

export const PAGE_STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
details { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .4rem 0 }
summary { cursor: pointer }
pre { overflow-x: auto; font-size: .85rem }
`
