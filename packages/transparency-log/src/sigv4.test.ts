import { describe, expect, it } from 'vitest'
import { encodeUri, signRequest } from './sigv4.ts'

/** The examples of the Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header", with its key and time. */

const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const now = Date.UTC(2013, 4, 24)
const host = 'https://examplebucket.s3.amazonaws.com'

describe('a request is signed as S3 expects it', () => {
  it.each([
    [
      'an object',
      'GET',
      '/test.txt',
      { range: 'bytes=0-9' },
      '',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'a new object',
      'PUT',
      `/${encodeUri('test$file.text')}`,
      { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      'Welcome to Amazon S3.',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    ['a setting', 'GET', '/?lifecycle', {}, '', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    [
      'a list',
      'GET',
      '/?max-keys=2&prefix=J',
      {},
      '',
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])('%s', (_, method, path, headers, body, signature) => {
    const request = {
      method,
      url: new URL(host + path),
      headers: headers as Record<string, string>,
      body: Buffer.from(body),
    }
    const { authorization } = signRequest(request, credentials, 'us-east-1', now)
    expect(authorization).toContain('Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request')
    expect(authorization?.split('Signature=')[1]).toBe(signature)
  })
})
