// `images`, `imageFields` and `imageEnv`: which images of the project objects hold, and where.
import { findImagePath, imageReferencesOf } from '../../model/image-places.js'
import type { ImageField, ImageUse, KubeObject } from '../../model/plan.js'
import { didYouMean, listed } from '../../errors/did-you-mean.js'
import type { ImageField as GivenField, ImageUseOptions } from '../api/types.js'
import { isMark, type Encoded } from '../declaration.js'
import { describeValue } from './describe-value.js'
import { broken, options, string, strings, wrong, type Subject } from './fields.js'
import { namesImage } from './image-reference.js'
import type { PlanWork } from './work.js'

const fieldKnown: Record<keyof GivenField, true> = { kind: true, apiVersion: true, path: true, repository: true, tag: true }

export type GivenImageUse = Partial<Record<keyof ImageUseOptions, Encoded>>

export function makeImageUse(work: PlanWork, subject: Subject, given: GivenImageUse): ImageUse {
  const images = makeImages(work, subject, given.images)
  const imageFields = makeFields(subject, given.imageFields)
  const imageEnv = makeVariables(subject, given.imageEnv)
  if (images.length === 0 && (imageFields.length > 0 || imageEnv !== undefined) && given.images === undefined) {
    const option = imageFields.length > 0 ? 'imageFields' : 'imageEnv'
    broken(subject, `\`${option}\` says where images stand, and \`images\` names none.`, undefined, 'List them in `images`.')
  }
  return { images, ...(imageFields.length > 0 ? { imageFields } : {}), ...(imageEnv === undefined ? {} : { imageEnv }) }
}

/** Names of images given as values. */
export function makeImages(work: PlanWork, subject: Subject, value: Encoded): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    wrong(subject, 'images', 'an array of images', value)
    return []
  }
  const names = (value as readonly Encoded[]).flatMap((item, index) => {
    if (!isMark(item) || item.$devloop !== 'image') {
      const help = typeof item === 'string' ? `Give the value that image('${item}', ...) made.` : undefined
      wrong(subject, `images[${index}]`, 'an image', item ?? null, help)
      return []
    }
    const name = work.declaration.images[item.index]?.name
    return typeof name === 'string' ? [name] : []
  })
  return [...new Set(names)]
}

function makeFields(subject: Subject, value: Encoded): readonly ImageField[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    wrong(subject, 'imageFields', 'an array of { kind, path }', value)
    return []
  }
  return (value as readonly Encoded[]).flatMap((item, index) => {
    const at = `imageFields[${index}]`
    const given = options(subject, at, item ?? null, fieldKnown)
    const kind = string(subject, `${at}.kind`, given.kind, 'required')
    const path = string(subject, `${at}.path`, given.path, 'required')
    const apiVersion = string(subject, `${at}.apiVersion`, given.apiVersion)
    const repository = string(subject, `${at}.repository`, given.repository)
    const tag = string(subject, `${at}.tag`, given.tag)
    if (given.tag !== undefined && given.repository === undefined)
      broken(
        subject,
        `\`${at}\` has a \`tag\` and no \`repository\`.`,
        undefined,
        'Name the field with the other half as `repository`.',
      )
    if (path !== undefined && !/^[^.[\]]+(?:\[\*\])?(?:\.[^.[\]]+(?:\[\*\])?)*$/.test(path))
      return (
        wrong(subject, `${at}.path`, "names with dots between them, such as 'spec.steps[*].image'", path) ??
        ([] as readonly ImageField[])
      )
    if (kind === undefined || path === undefined) return []
    return {
      kind,
      path,
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(repository === undefined ? {} : { repository }),
      ...(tag === undefined ? {} : { tag }),
    }
  })
}

function makeVariables(subject: Subject, value: Encoded): true | readonly string[] | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return true
  if (typeof value === 'string' || !Array.isArray(value))
    return wrong(subject, 'imageEnv', 'true, or an array of names of variables', value)
  return strings(subject, 'imageEnv', value)
}

/** Report images that no object holds where devloop looks. */
export function checkImagesUsed(subject: Subject, use: ImageUse, objects: readonly KubeObject[]): void {
  // what could not be parsed may well use it
  if (objects.length === 0) return
  const used = new Set(objects.flatMap((object) => imageReferencesOf(object, use)))
  for (const name of use.images) {
    if ([...used].some((reference) => namesImage(reference, name))) continue
    const elsewhere = objects.flatMap((object) => {
      const path = findImagePath(object, (reference) => namesImage(reference, name))
      return path === undefined ? [] : { kind: object.kind, path }
    })[0]
    const meant = didYouMean(
      name,
      [...used].map((reference) => reference.replace(/[:@][^/]*$/, '')),
    )
    const told = elsewhere && `Say where it stands: imageFields: [{ kind: '${elsewhere.kind}', path: '${elsewhere.path}' }]`
    broken(
      subject,
      `no container uses the image '${name}'.`,
      used.size > 0 ? `Used are ${listed([...used].map(describeValue))}.` : undefined,
      told ?? meant ?? 'Correct the name, or remove it from `images`.',
    )
  }
}

/** Whether an object holds an image. */
export const usesImage = (object: KubeObject, use: ImageUse, name: string): boolean =>
  imageReferencesOf(object, use).some((reference) => namesImage(reference, name))
