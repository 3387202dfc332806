/** Lets a derived class put its private fields on an object that exists already. */
class Given {
  constructor(object: object) {
    return object
  }
}

/** Values tied to objects. */
export interface Marks<T> {
  get(object: object): T | undefined
  set(object: object, value: T): void
}

/**
 * What a WeakMap does, for objects that come by the million: the value is a private field of the
 * object itself, which nobody else sees and no copy has. A WeakMap would make every collection of
 * garbage walk its table: recording where 20 loaded entities came from took half as long as loading
 * them.
 */
export const createMarks = <T>(): Marks<T> => {
  /** Objects that take no more fields. */
  const sealed = new WeakMap<object, T>()
  class Marked extends Given {
    #value: T

    constructor(object: object, value: T) {
      super(object)
      this.#value = value
    }

    static get(object: object): T | undefined {
      return #value in object ? object.#value : sealed.get(object)
    }

    static set(object: object, value: T): void {
      if (#value in object) object.#value = value
      else if (Object.isExtensible(object)) new Marked(object, value)
      else sealed.set(object, value)
    }
  }
  return Marked
}
