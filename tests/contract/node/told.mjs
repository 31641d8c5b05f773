// What the scripts share: the promises they keep one after another, and orders to the sandbox.

const [, , url, ...rest] = process.argv
export { url, rest }

/** Runs promises in order; the first that breaks ends the script with its name. */
export async function keep(promises) {
  for (const [name, promise] of Object.entries(promises)) {
    try {
      await promise()
    } catch (error) {
      console.error(`${name}\n${error?.stack ?? error}`)
      process.exit(1)
    }
    console.log(`kept: ${name}`)
  }
}

/** The next calls of a kind fail. */
export async function fail(on, fault, times = 1) {
  const answer = await fetch(`${url}/_sandbox/faults`, {
    method: 'POST',
    body: JSON.stringify({ on, fault, times }),
  })
  if (answer.status !== 204) throw new Error(`the sandbox refuses the fault: ${answer.status}`)
}

/** The error that a promise is rejected with. */
export async function refused(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was to be refused')
}
