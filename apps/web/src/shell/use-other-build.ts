import { useEffect, useState } from 'react'
import { useWardline } from '../wardline/context.tsx'
import { otherBuild, servedPage } from './build.ts'
import { watchBuild } from './build-watch.ts'

const TOUCHES = ['pointerdown', 'keydown', 'input', 'touchmove', 'wheel'] as const

/** The build that the server has, as a name, where it is another than this page's; else null. */
export function useOtherBuild(): string | null {
  const wardline = useWardline()
  const [build, setBuild] = useState<string | null>(null)
  useEffect(() => {
    const watch = {
      onLive: (run: () => void) => wardline.connection.on('live', run),
      onFault: (run: Parameters<typeof wardline.on<'fault'>>[1]) => wardline.on('fault', run),
      onTouched: (run: () => void) => {
        for (const touch of TOUCHES) window.addEventListener(touch, run, { capture: true, passive: true })
        return () => {
          for (const touch of TOUCHES) window.removeEventListener(touch, run, { capture: true })
        }
      },
      ask: async () => {
        const page = await servedPage()
        return page === null ? undefined : otherBuild(page, document.head.outerHTML)
      },
      now: () => performance.now(),
      random: () => Math.random(),
      setTimer: (ms: number, run: () => void) => {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      },
    }
    return watchBuild(watch, setBuild)
  }, [wardline])
  return build
}
