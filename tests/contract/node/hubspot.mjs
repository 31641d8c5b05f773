// HubSpot's official client against the sandbox's HubSpot.
// Arguments: address, token, id of an owner, id of an owner who left, an app's client id and its secret.

import assert from 'node:assert/strict'
import { Client } from '@hubspot/api-client'
import { fail, keep, refused, rest, url } from './told.mjs'

const [token, owner, gone, clientId, clientSecret] = rest
const { crm, oauth } = new Client({ accessToken: token, basePath: url })
const stranger = new Client({ accessToken: 'pat-na1-of-somebody-else', basePath: url })
const byApp = { hubspot_owner_id: owner, hs_lead_status: 'OPEN' }
const filter = (propertyName, operator, value) => ({ filterGroups: [{ filters: [{ propertyName, operator, value }] }] })
const type = (associationTypeId) => [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId }]

let zoe, deal

await keep({
  async 'a code becomes tokens, and a refresh token new ones'() {
    const back = 'https://leadpact.acme.example/connect/acme/callback'
    const asked = new URLSearchParams({ client_id: clientId, redirect_uri: back, scope: 'oauth', state: 'of-this-browser' })
    const allowed = await fetch(`${url}/oauth/authorize?${asked}`, {
      method: 'POST', redirect: 'manual', body: new URLSearchParams({ answer: 'allow' }),
    })
    const returned = new URL(allowed.headers.get('location')).searchParams
    assert.equal(returned.get('state'), 'of-this-browser')
    const { tokensApi } = oauth
    const granted = await tokensApi.create('authorization_code', returned.get('code'), back, clientId, clientSecret)
    assert.equal(granted.tokenType, 'bearer')
    assert.equal(granted.expiresIn, 1800)
    const renew = (refreshToken) => tokensApi.create('refresh_token', undefined, undefined, clientId, clientSecret, refreshToken)
    const renewed = await renew(granted.refreshToken)
    assert.notEqual(renewed.accessToken, granted.accessToken)
    const reader = new Client({ accessToken: renewed.accessToken, basePath: url })
    assert.ok((await reader.crm.owners.ownersApi.getPage()).results.length > 0)
    const error = await refused(renew('na1-of-nobody'))
    assert.equal(error.code, 400)
    assert.equal(error.body.status, 'BAD_REFRESH_TOKEN')
  },

  async 'a contact is made, read, changed and archived'() {
    zoe = await crm.contacts.basicApi.create({ properties: { ...byApp, firstname: 'Zoë', lastname: 'Ünal', email: 'zoe@acme.example' } })
    assert.equal(typeof zoe.id, 'string')
    assert.ok(zoe.createdAt instanceof Date && zoe.updatedAt instanceof Date)
    const read = await crm.contacts.basicApi.getById(zoe.id, ['firstname', 'hs_lead_status', 'budget'])
    assert.equal(read.properties.firstname, 'Zoë')
    assert.equal(read.properties.budget ?? null, null)
    assert.equal(read.archived, false)
    const changed = await crm.contacts.basicApi.update(zoe.id, { properties: { hs_lead_status: 'ACCEPTED' } })
    assert.equal(changed.properties.hs_lead_status, 'ACCEPTED')
    const other = await crm.contacts.basicApi.create({ properties: { firstname: 'Ida' } })
    await crm.contacts.basicApi.archive(other.id)
    const error = await refused(crm.contacts.basicApi.getById(other.id))
    assert.equal(error.code, 404)
    assert.equal(error.body.category, 'OBJECT_NOT_FOUND')
    const archived = await crm.contacts.basicApi.getPage(100, undefined, undefined, undefined, undefined, true)
    const found = archived.results.find(({ id }) => id === other.id)
    assert.ok(found.archived && found.archivedAt instanceof Date)
  },

  async 'histories come newest first, with their sources'() {
    const read = await crm.contacts.basicApi.getById(zoe.id, [], ['hs_lead_status'])
    const [newest, oldest] = read.propertiesWithHistory.hs_lead_status
    assert.deepEqual([newest.value, oldest.value], ['ACCEPTED', 'OPEN'])
    assert.equal(newest.sourceType, 'INTEGRATION')
    assert.ok(newest.timestamp instanceof Date)
  },

  async 'batches are made, read, changed and archived'() {
    const names = ['Ann', 'Bea', 'Cleo']
    const made = await crm.contacts.batchApi.create({
      inputs: names.map((firstname, n) => ({ properties: { firstname }, associations: [], objectWriteTraceId: `${n}` })),
    })
    assert.equal(made.status, 'COMPLETE')
    assert.deepEqual(made.results.map((row) => row.objectWriteTraceId), ['0', '1', '2'])
    const ids = made.results.map(({ id }) => ({ id }))
    const inputs = ids.map(({ id }, n) => ({ id, objectWriteTraceId: `${n}`, properties: { hs_lead_status: 'NURTURE' } }))
    const changed = await crm.contacts.batchApi.update({ inputs })
    assert.equal(changed.results.length, 3)
    const read = await crm.contacts.batchApi.read({ inputs: ids, properties: ['hs_lead_status'], propertiesWithHistory: [] })
    assert.deepEqual(read.results.map((row) => row.properties.hs_lead_status), ['NURTURE', 'NURTURE', 'NURTURE'])
    await crm.contacts.batchApi.archive({ inputs: ids })
    const after = await crm.contacts.batchApi.read({ inputs: ids, properties: [], propertiesWithHistory: [] })
    assert.deepEqual([after.results.length, after.numErrors], [0, 3])
  },

  async 'a batch that partly fails tells who failed'() {
    const inputs = [
      { id: zoe.id, objectWriteTraceId: 'good', properties: { score: '1', hubspotscore: '7' } },
      { id: '999999', objectWriteTraceId: 'lost', properties: { hubspotscore: '7' } },
    ]
    const answer = await crm.contacts.batchApi.update({ inputs })
    assert.deepEqual(answer.results.map(({ id }) => id), [zoe.id])
    assert.equal(answer.numErrors, 1)
    assert.equal(answer.errors[0].category, 'OBJECT_NOT_FOUND')
    assert.deepEqual(answer.errors[0].context.objectWriteTraceId, ['lost'])
  },

  async 'a search filters, sorts either way and pages'() {
    for (let n = 0; n < 25; n += 1) {
      await crm.contacts.basicApi.create({ properties: { firstname: `Paged ${n}`, company: 'Paging Inc', hubspotscore: `${n}` } })
    }
    const properties = ['hubspotscore']
    const first = await crm.contacts.searchApi.doSearch({
      ...filter('company', 'EQ', 'Paging Inc'), sorts: ['-hubspotscore'], properties, limit: 10,
    })
    assert.equal(first.total, 25)
    assert.equal(first.results[0].properties.hubspotscore, '24')
    const next = await crm.contacts.searchApi.doSearch({
      ...filter('company', 'EQ', 'Paging Inc'),
      sorts: [{ propertyName: 'hubspotscore', direction: 'ASCENDING' }], properties, limit: 10, after: first.paging.next.after,
    })
    assert.equal(next.results[0].properties.hubspotscore, '10')
    const some = await crm.contacts.searchApi.doSearch({
      filterGroups: [{ filters: [{ propertyName: 'hubspotscore', operator: 'IN', values: ['3', '4'] }, { propertyName: 'company', operator: 'HAS_PROPERTY' }] }],
      sorts: ['hubspotscore'], properties, limit: 10,
    })
    assert.deepEqual(some.results.map((row) => row.properties.hubspotscore), ['3', '4'])
  },

  async 'all pages are followed'() {
    const all = await crm.contacts.getAll(10, undefined, ['company'])
    assert.equal(all.filter((row) => row.properties.company === 'Paging Inc').length, 25)
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
  },

  async 'a lead is made on its contact'() {
    const lead = await crm.objects.leads.basicApi.create({
      properties: { hs_lead_name: 'Zoë at Acme', hubspot_owner_id: owner },
      associations: [{ to: { id: zoe.id }, types: type(578) }],
    })
    const read = await crm.objects.leads.basicApi.getById(lead.id, ['hs_lead_name'], undefined, ['contacts'])
    assert.equal(read.properties.hs_lead_name, 'Zoë at Acme')
    assert.deepEqual(read.associations.contacts.results.map(({ id }) => id), [zoe.id])
    const found = await crm.objects.leads.searchApi.doSearch({ ...filter('hs_lead_name', 'EQ', 'Zoë at Acme'), limit: 5 })
    assert.equal(found.total, 1)
  },

  async 'a deal goes through the stages of its pipeline'() {
    const { results } = await crm.pipelines.pipelinesApi.getAll('deals')
    const closed = results[0].stages.find((stage) => stage.metadata.isClosed === 'true')
    const one = await crm.pipelines.pipelinesApi.getById('deals', results[0].id)
    assert.deepEqual(one, results[0])
    deal = await crm.deals.basicApi.create({ properties: { dealname: 'Acme', dealstage: results[0].stages[0].id, pipeline: results[0].id } })
    const changed = await crm.deals.basicApi.update(deal.id, { properties: { dealstage: closed.id } })
    assert.equal(changed.properties.dealstage, closed.id)
  },

  async 'owners are listed and found'() {
    const { results } = await crm.owners.ownersApi.getPage(undefined, undefined, 100, false)
    const amy = results.find(({ id }) => id === owner)
    assert.deepEqual([amy.firstName, amy.type, amy.archived], ['Amy', 'PERSON', false])
    assert.deepEqual(await crm.owners.ownersApi.getById(owner), amy)
    assert.equal((await crm.owners.ownersApi.getById(amy.userId, 'userId')).id, owner)
    const byEmail = await crm.owners.ownersApi.getPage(amy.email, undefined, 100, false)
    assert.deepEqual(byEmail.results.map(({ id }) => id), [owner])
    const left = await crm.owners.ownersApi.getPage(undefined, undefined, 100, true)
    assert.deepEqual(left.results.map(({ id, archived }) => [id, archived]), [[gone, true]])
    const page = await crm.owners.ownersApi.getPage(undefined, undefined, 1, false)
    const next = await crm.owners.ownersApi.getPage(undefined, page.paging.next.after, 1, false)
    assert.notEqual(next.results[0].id, page.results[0].id)
  },

  async 'a group and a property are made once'() {
    const group = { name: 'sla', label: 'SLA', displayOrder: -1 }
    assert.equal((await crm.properties.groupsApi.create('contacts', group)).name, 'sla')
    assert.equal((await refused(crm.properties.groupsApi.create('contacts', group))).code, 409)
    const { results } = await crm.properties.groupsApi.getAll('contacts')
    assert.ok(results.some(({ name }) => name === 'sla'))
    const property = { name: 'sla_due', label: 'Due', groupName: 'sla', type: 'datetime', fieldType: 'date' }
    const made = await crm.properties.coreApi.create('contacts', property)
    assert.deepEqual([made.name, made.type], ['sla_due', 'datetime'])
    const again = await refused(crm.properties.coreApi.create('contacts', property))
    assert.equal(again.code, 409)
    const all = await crm.properties.coreApi.getAll('contacts', false)
    assert.ok(all.results.every((row) => row.name && row.type && row.fieldType && Array.isArray(row.options)))
    assert.equal((await crm.properties.coreApi.getByName('contacts', 'sla_due', false)).type, 'datetime')
    assert.equal((await refused(crm.properties.coreApi.getByName('contacts', 'nobody_has_it', false))).code, 404)
  },

  async 'a task hangs on its contact and is found there'() {
    const { results } = await crm.objects.tasks.batchApi.create({
      inputs: [{
        properties: { hs_timestamp: '2027-01-05T09:00:00.000Z', hs_task_subject: 'Call', hs_task_status: 'NOT_STARTED' },
        associations: [{ to: { id: zoe.id }, types: type(204) }],
      }],
    })
    const tasks = await crm.associations.v4.batchApi.getPage('contacts', 'tasks', { inputs: [{ id: zoe.id }] })
    assert.deepEqual(tasks.results[0].to.map((one) => `${one.toObjectId}`), [results[0].id])
    assert.equal(tasks.results[0].to[0].associationTypes[0].typeId, 203)
    const without = await crm.associations.v4.batchApi.getPage('deals', 'tasks', { inputs: [{ id: deal.id }] })
    assert.equal(without.errors[0].subCategory, 'crm.associations.NO_ASSOCIATIONS_FOUND')
    const read = await crm.objects.tasks.basicApi.getById(results[0].id, ['hs_task_subject'])
    assert.equal(read.properties.hs_task_subject, 'Call')
  },

  async 'associations are made singly, by default and in batches'() {
    const contact = await crm.contacts.basicApi.create({ properties: { firstname: 'Ola' } })
    const one = await crm.associations.v4.basicApi.create('deals', deal.id, 'contacts', contact.id, type(3))
    assert.equal(one.toObjectId, contact.id)
    const page = await crm.associations.v4.basicApi.getPage('deals', deal.id, 'contacts')
    assert.deepEqual(page.results.map((row) => row.toObjectId), [contact.id])
    const both = await crm.associations.v4.basicApi.createDefault('deals', deal.id, 'contacts', zoe.id)
    assert.deepEqual(both.results.map((row) => row.associationSpec.associationTypeId), [3, 4])
    const inputs = [
      { _from: { id: contact.id }, to: { id: deal.id }, types: type(4) },
      { _from: { id: '999999' }, to: { id: deal.id }, types: type(4) },
    ]
    const batch = await crm.associations.v4.batchApi.create('contacts', 'deals', { inputs })
    assert.deepEqual([batch.results.length, batch.numErrors], [1, 1])
  },

  async 'what is refused is an exception that says why'() {
    const unknown = await refused(crm.contacts.basicApi.update(zoe.id, { properties: { no_such_property: '1' } }))
    assert.deepEqual([unknown.code, unknown.body.category], [400, 'VALIDATION_ERROR'])
    assert.match(unknown.body.message, /PROPERTY_DOESNT_EXIST/)
    const left = await refused(crm.contacts.basicApi.update(zoe.id, { properties: { hubspot_owner_id: gone } }))
    assert.equal(left.code, 400)
    const many = Array.from({ length: 101 }, (_, n) => ({ id: `${n}`, properties: { firstname: 'x' } }))
    assert.equal((await refused(crm.contacts.batchApi.update({ inputs: many }))).code, 400)
    const nobody = await refused(stranger.crm.contacts.basicApi.getPage())
    assert.deepEqual([nobody.code, nobody.body.category], [401, 'INVALID_AUTHENTICATION'])
    await fail('hubspot.get', { do: 'too_many_requests' })
    const limited = await refused(crm.contacts.basicApi.getById(zoe.id))
    assert.deepEqual([limited.code, limited.body.policyName], [429, 'TEN_SECONDLY_ROLLING'])
    assert.equal(limited.headers['x-hubspot-ratelimit-remaining'], '0')
    await fail('hubspot.update', { do: 'lock', ids: [zoe.id] })
    assert.equal((await refused(crm.contacts.basicApi.update(zoe.id, { properties: { firstname: 'Z' } }))).code, 423)
    await fail('hubspot.get', { do: 'bad_gateway' })
    assert.equal((await refused(crm.contacts.basicApi.getById(zoe.id))).code, 502)
  },

  async 'a client that tries again after a limit gets its answer'() {
    const patient = new Client({ accessToken: token, basePath: url, numberOfApiCallRetries: 2 })
    await fail('hubspot.owners', { do: 'server_error' })
    const { results } = await patient.crm.owners.ownersApi.getPage()
    assert.ok(results.length > 0)
  },
})
