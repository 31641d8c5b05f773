// HubSpot's own check of a signature on what the sandbox sent.
// Arguments: signed address, client secret, file with the headers and the body as JSON.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Signature } from '@hubspot/api-client'
import { keep, rest, url } from './told.mjs'

const [clientSecret, file] = rest
const { headers, body } = JSON.parse(readFileSync(file, 'utf8'))
const signed = { clientSecret, url, method: 'POST', requestBody: body }
const timestamp = Number(headers['x-hubspot-request-timestamp'])
const newest = { ...signed, signatureVersion: 'v3', signature: headers['x-hubspot-signature-v3'], timestamp }

await keep({
  async 'the signature of version 3 is valid'() {
    assert.ok(Signature.isValid(newest))
  },
  async 'the signature of version 1 beside it is valid'() {
    assert.equal(headers['x-hubspot-signature-version'], 'v1')
    assert.ok(Signature.isValid({ ...signed, signatureVersion: 'v1', signature: headers['x-hubspot-signature'] }))
  },
  async 'another body, address, secret or moment is not what was signed'() {
    for (const change of [{ requestBody: `${body} ` }, { url: `${url}?` }, { clientSecret: 'x' }, { timestamp: timestamp + 1 }]) {
      assert.equal(Signature.isValid({ ...newest, ...change }), false)
    }
  },
})
