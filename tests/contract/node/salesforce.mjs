// jsforce against the sandbox's Salesforce.
// Arguments: address, client id, client secret, organization, id of a user.

import assert from 'node:assert/strict'
import jsforce from 'jsforce'
import { fail, keep, refused, rest, url } from './told.mjs'

const [clientId, clientSecret, organization, user] = rest
const version = '67.0'
const oauth2 = { loginUrl: url, clientId, clientSecret }
const grant = { grant_type: 'client_credentials' }
const conn = new jsforce.Connection({ oauth2, instanceUrl: url, version })
const lead = (LastName, more = {}) => ({ LastName, Company: 'Acme', Status: 'Open', OwnerId: user, ...more })
const plainly = { headers: { 'Sforce-Auto-Assign': 'FALSE' } }

let zoe

await keep({
  async 'client credentials sign in and tell who one is'() {
    const who = await conn.authorize(grant)
    assert.equal(who.organizationId, organization)
    assert.equal(conn.instanceUrl, url)
    const identity = await conn.identity()
    assert.deepEqual([identity.organization_id, identity.user_id], [organization, who.id])
    const wrong = new jsforce.OAuth2({ ...oauth2, clientSecret: 'wrong' })
    assert.equal((await refused(wrong.requestToken(grant))).name, 'invalid_client')
  },

  async 'an access token alone is enough'() {
    const other = new jsforce.Connection({ instanceUrl: url, accessToken: conn.accessToken, version })
    assert.equal((await other.identity()).organization_id, organization)
  },

  async 'a lead is made, read, changed and deleted'() {
    const made = await conn.sobject('Lead').create(lead('Ünal', { FirstName: 'Zoë' }), plainly)
    assert.ok(made.success && made.id.length === 18)
    zoe = made.id
    const read = await conn.sobject('Lead').retrieve(zoe)
    assert.deepEqual([read.Id, read.LastName, read.OwnerId, read.attributes.type], [zoe, 'Ünal', user, 'Lead'])
    assert.match(read.LastModifiedDate, /\+0000$/)
    const changed = await conn.sobject('Lead').update({ Id: zoe, Status: 'Accepted' }, plainly)
    assert.deepEqual([changed.id, changed.success], [zoe, true])
    assert.equal((await conn.sobject('Lead').retrieve(zoe.slice(0, 15))).Status, 'Accepted')
    const { id } = await conn.sobject('Lead').create(lead('Gone'), plainly)
    assert.ok((await conn.sobject('Lead').destroy(id)).success)
    const error = await refused(conn.sobject('Lead').retrieve(id))
    assert.equal(error.errorCode, 'ENTITY_IS_DELETED')
    assert.equal((await refused(conn.sobject('Lead').destroy(id))).errorCode, 'ENTITY_IS_DELETED')
  },

  async 'a query is read page by page'() {
    const names = Array.from({ length: 30 }, (_, n) => lead(`Paged ${String(n).padStart(2, '0')}`, { Company: 'Paging Inc' }))
    await conn.sobject('Lead').create(names, plainly)
    const soql = "SELECT Id, LastName, Owner.Name FROM Lead WHERE Company = 'Paging Inc' ORDER BY LastName"
    const first = await conn.query(soql)
    assert.deepEqual([first.totalSize, first.done, first.records.length], [30, false, 10])
    const second = await conn.queryMore(first.nextRecordsUrl)
    assert.equal(second.records[0].LastName, 'Paged 10')
    const all = await conn.query(soql, { autoFetch: true, maxFetch: 1000 })
    assert.deepEqual([all.done, all.records.length, all.records[29].LastName], [true, 30, 'Paged 29'])
    assert.equal(all.records[0].Owner.Name, 'Amy Ng')
    const counted = await conn.query("SELECT COUNT() FROM Lead WHERE Company = 'Paging Inc'")
    assert.equal(counted.totalSize, 30)
  },

  async 'jsforce builds queries that are understood'() {
    const found = await conn.sobject('Lead').find({ Company: 'Paging Inc', LastName: { $like: 'Paged 0%' } }, ['Id', 'LastName']).sort('-LastName').limit(3)
    assert.deepEqual(found.map((row) => row.LastName), ['Paged 09', 'Paged 08', 'Paged 07'])
    const quote = await conn.sobject('Lead').find({ LastName: "O'Hara \\ Sons" }, 'Id')
    assert.deepEqual(quote, [])
    const since = jsforce.SfDate.toDateTimeLiteral(new Date(0))
    assert.ok(await conn.sobject('Lead').count({ SystemModstamp: { $gte: since }, IsConverted: false }) > 30)
  },

  async 'deleted rows are seen where they are asked for'() {
    const soql = "SELECT Id, IsDeleted FROM Lead WHERE LastName = 'Gone'"
    assert.equal((await conn.query(soql)).totalSize, 0)
    const all = await conn.query(soql, { scanAll: true })
    assert.deepEqual(all.records.map((row) => row.IsDeleted), [true])
  },

  async 'several records are read by their ids, in that order'() {
    const { records } = await conn.query("SELECT Id FROM Lead WHERE Company = 'Paging Inc' ORDER BY LastName LIMIT 2")
    const missing = '00Q5g0000099999AAA'
    const read = await conn.sobject('Lead').retrieve([records[1].Id, missing, records[0].Id])
    assert.deepEqual(read.map((row) => row?.Id ?? null), [records[1].Id, null, records[0].Id])
    const some = await conn.sobject('Lead').retrieve([zoe], { fields: ['Id', 'Status'] })
    assert.deepEqual(Object.keys(some[0]).sort(), ['Id', 'Status', 'attributes'])
  },

  async 'a collection tells of each record, and saves the others'() {
    const made = await conn.sobject('Lead').create([lead('One'), lead('Two', { No_Such__c: 1 }), lead('Three')], { ...plainly, allOrNone: false })
    assert.deepEqual(made.map(({ success }) => success), [true, false, true])
    assert.equal(made[1].errors[0].statusCode, 'INVALID_FIELD')
    const [one, three] = [made[0].id, made[2].id]
    await conn.sobject('Lead').destroy(three)
    const both = [{ Id: one, Status: 'Accepted' }, { Id: three, Status: 'Accepted' }]
    const changed = await conn.sobject('Lead').update(both, { ...plainly, allOrNone: false })
    assert.deepEqual(changed.map(({ success }) => success), [true, false])
    assert.equal(changed[1].errors[0].statusCode, 'ENTITY_IS_DELETED')
    const rolled = await conn.sobject('Lead').update([{ Id: one, Status: 'Open' }, both[1]], { ...plainly, allOrNone: true })
    assert.deepEqual(rolled.map((row) => row.errors[0].statusCode), ['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'ENTITY_IS_DELETED'])
    assert.equal((await conn.sobject('Lead').retrieve(one)).Status, 'Accepted')
    const ended = await conn.sobject('Lead').destroy([one, three])
    assert.deepEqual(ended.map(({ success }) => success), [true, false])
  },

  async 'more than a collection holds is refused or split'() {
    const many = Array.from({ length: 201 }, (_, n) => lead(`Many ${n}`))
    await refused(conn.sobject('Lead').create(many, plainly))
    const made = await conn.sobject('Lead').create(many, { ...plainly, allowRecursive: true })
    assert.equal(made.filter(({ success }) => success).length, 201)
  },

  async 'assignment rules run unless the caller says no'() {
    const { id } = await conn.sobject('Lead').create(lead('Assigned'))
    assert.notEqual((await conn.sobject('Lead').retrieve(id)).OwnerId, user)
  },

  async 'objects and limits are described'() {
    const all = await conn.describeGlobal()
    assert.ok(all.sobjects.some(({ name }) => name === 'Lead'))
    const described = await conn.describe('Lead')
    const status = described.fields.find(({ name }) => name === 'Status')
    assert.ok(described.updateable && status.updateable && status.type === 'string')
    assert.match(conn.limitInfo.apiUsage.used.toString(), /^\d+$/)
    assert.equal(conn.limitInfo.apiUsage.limit, 100000)
    const limits = await conn.limits()
    assert.equal(limits.DailyApiRequests.Max, 100000)
    const tooling = await conn.tooling.query("SELECT Id, DeveloperName FROM CustomField WHERE TableEnumOrId = 'Lead'")
    assert.ok(tooling.records.some(({ DeveloperName }) => DeveloperName === 'Reject_Reason'))
  },

  async 'a custom field is made by the Tooling API'() {
    const metadata = { type: 'Checkbox', label: 'Broken', defaultValue: 'false' }
    const made = await conn.tooling.create('CustomField', { FullName: 'Lead.Broken__c', Metadata: metadata })
    assert.ok(made.success)
    const again = await refused(conn.tooling.create('CustomField', { FullName: 'Lead.Broken__c', Metadata: metadata }))
    assert.equal(again.errorCode, 'DUPLICATE_DEVELOPER_NAME')
  },

  async 'conditions on the time of modification hold'() {
    const long = new Date(0).toUTCString()
    const late = new Date(Date.UTC(2100, 0, 1)).toUTCString()
    const change = (since) => conn.sobject('Lead').update({ Id: zoe, Status: 'Working' }, { headers: { ...plainly.headers, 'If-Unmodified-Since': since } })
    assert.equal((await refused(change(long))).errorCode, 'ENTITY_CHANGED')
    assert.ok((await change(late)).success)
    const unchanged = await conn.sobject('Lead').retrieve(zoe, { headers: { 'If-Modified-Since': late } })
    assert.ok(!unchanged?.Id)
    assert.equal((await conn.sobject('Lead').retrieve(zoe, { headers: { 'If-Modified-Since': long } })).Id, zoe)
  },

  async 'what is refused is an error that says why'() {
    assert.equal((await refused(conn.query('SELECT Id FRM Lead'))).errorCode, 'MALFORMED_QUERY')
    assert.equal((await refused(conn.query('SELECT Id FROM Dragon'))).errorCode, 'INVALID_TYPE')
    assert.equal((await refused(conn.query('SELECT No_Such__c FROM Lead'))).errorCode, 'INVALID_FIELD')
    assert.equal((await refused(conn.queryMore('01gBogus-2000'))).errorCode, 'INVALID_QUERY_LOCATOR')
    assert.equal((await refused(conn.sobject('Dragon').describe())).errorCode, 'NOT_FOUND')
    await fail('salesforce.update', { do: 'lock', ids: [zoe] })
    assert.equal((await refused(conn.sobject('Lead').update({ Id: zoe, Status: 'Open' }, plainly))).errorCode, 'UNABLE_TO_LOCK_ROW')
    // jsforce itself asks again after a gateway's page.
    await fail('salesforce.limits', { do: 'bad_gateway' })
    assert.equal((await conn.limits()).DailyApiRequests.Max, 100000)
  },

  async 'a session that is over is renewed, once, by whoever can'() {
    let renewed = 0
    const refreshFn = (other, done) => {
      renewed += 1
      other.oauth2.requestToken(grant).then((res) => done(null, res.access_token, res), done)
    }
    const other = new jsforce.Connection({ oauth2, instanceUrl: url, accessToken: 'expired', refreshFn, version })
    assert.ok((await other.query('SELECT Id FROM Lead LIMIT 1')).records.length)
    assert.equal(renewed, 1)
    const helpless = new jsforce.Connection({ instanceUrl: url, accessToken: 'expired', version })
    assert.equal((await refused(helpless.query('SELECT Id FROM Lead'))).errorCode, 'INVALID_SESSION_ID')
  },
})
