import { useQuery } from '@tanstack/react-query'
import { useWardline } from '../wardline/context.tsx'

/** What the server says to anybody: whether this is a demonstration. False until it has said so. */
export function useDemo(): boolean {
  const { api } = useWardline()
  const about = useQuery({
    queryKey: ['about'],
    queryFn: () => api.about(),
    staleTime: Number.POSITIVE_INFINITY,
    retry: 2,
  })
  return about.data?.demo ?? false
}
