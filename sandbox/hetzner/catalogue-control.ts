import { locationNamed, type Architecture, type Image, type ServerTypeLocation } from './catalogue';
import type { Cloud } from './cloud';
import { addSnapshot } from './images';
import type { Labels, Project } from './state';

/** Turns the vendor's catalogue, as the vendor does from time to time. Unknown names throw. */
export interface CatalogueControl {
  /** Sells out (or restocks) a type, in one location or in all; what the types' list says goes with it. */
  setAvailable(type: string, available: boolean, location?: string): void;
  /** The same with the list left as it was: it says one thing, and creating a server shows another. */
  setPlaceable(type: string, placeable: boolean, location?: string): void;
  /** Closes (or opens) a whole location for new servers. */
  setLocationOpen(location: string, open: boolean): void;
  /** Announces the end of a type; times in virtual milliseconds. `undefined` as location means all. */
  deprecateServerType(
    type: string,
    deprecation: { announced: number; unavailableAfter: number },
    location?: string,
  ): void;
  /** Deprecates an image, of both architectures, at this virtual millisecond. */
  deprecateImage(name: string, at: number): void;
  /** Net EUR; holds for servers made from now on. */
  setPrice(type: string, price: { hourly: number; monthly: number }, location?: string): void;
  /** Adds a snapshot to a project and answers its id. */
  addSnapshot(
    projectId: string,
    snapshot: { description: string; architecture: Architecture; diskSize: number; labels?: Labels },
  ): number;
}

export function createCatalogueControl(cloud: Cloud): CatalogueControl {
  const offers = (type: string, location: string | undefined): ServerTypeLocation[] => {
    const locations = cloud.state.catalogue.serverTypes[type]?.locations;
    if (!locations) throw new Error(`no server type "${type}"`);
    if (location === undefined) return Object.values(locations);
    const offer = locations[location];
    if (!offer) throw new Error(`server type "${type}" is not offered in "${location}"`);
    return [offer];
  };
  return {
    setAvailable(type, available, location) {
      for (const offer of offers(type, location)) Object.assign(offer, { available, placeable: available });
    },
    setPlaceable(type, placeable, location) {
      for (const offer of offers(type, location)) offer.placeable = placeable;
    },
    setLocationOpen(location, open) {
      if (!locationNamed(location)) throw new Error(`no location "${location}"`);
      const others = cloud.state.catalogue.disabledLocations.filter((name) => name !== location);
      cloud.state.catalogue.disabledLocations = open ? others : [...others, location];
    },
    deprecateServerType(type, deprecation, location) {
      for (const offer of offers(type, location)) offer.deprecation = { ...deprecation };
    },
    deprecateImage(name, at) {
      for (const image of imagesNamed(cloud, name)) image.deprecated = at;
    },
    setPrice(type, price, location) {
      for (const offer of offers(type, location)) Object.assign(offer, price);
    },
    addSnapshot(projectId, snapshot) {
      return addSnapshot(cloud, projectNamed(cloud, projectId), snapshot).id;
    },
  };
}

function imagesNamed(cloud: Cloud, name: string): Image[] {
  const images = Object.values(cloud.state.catalogue.systemImages).filter((image) => image.name === name);
  if (images.length === 0) throw new Error(`no image "${name}"`);
  return images;
}

function projectNamed(cloud: Cloud, id: string): Project {
  const project = cloud.state.projects[id];
  if (!project) throw new Error(`no project "${id}"`);
  return project;
}
