// Device selectors that are refused, one field at a time.
import { type Refusals, withDevice } from './policy-objects.ts';

const hexForm =
  /must be a PCI (vendor|device) id: four lower-case hex digits without 0x, in quotes/;
/** Refused selectors. */
export const badSelectors: Refusals = {
  'an empty selector': [
    withDevice({}),
    'spec.devices[0]',
    /is empty and would fit nothing; must have at least one field/,
  ],
  'a selector whose only field has nothing after the colon': [
    withDevice({ vendor: null }),
    'spec.devices[0]',
    /is empty and would fit nothing/,
  ],
  'a selector that is a text': [
    withDevice('10de:2235'),
    'spec.devices[0]',
    /is "10de:2235"; must be a mapping with the fields vendor, device/,
  ],
  'a mistyped field of a selector': [
    withDevice({ vendr: '10de' }),
    'spec.devices[0].vendr',
    /unknown field "vendr", did you mean vendor\?/,
  ],
  'a vendor with 0x': [withDevice({ vendor: '0x10de' }), 'spec.devices[0].vendor', hexForm],
  'a vendor in upper case': [withDevice({ vendor: '10DE' }), 'spec.devices[0].vendor', hexForm],
  'a vendor of three digits': [withDevice({ vendor: '10d' }), 'spec.devices[0].vendor', hexForm],
  'a vendor that YAML read as a number': [
    withDevice({ vendor: 8086 }),
    'spec.devices[0].vendor',
    /is 8086; .*it was read as a number: put it in quotes/,
  ],
  'a device that is a name': [withDevice({ device: 'A40' }), 'spec.devices[0].device', hexForm],
  'a class of three digits': [
    withDevice({ class: '030' }),
    'spec.devices[0].class',
    /two, four or six lower-case hex digits/,
  ],
  'a class in words': [
    withDevice({ class: 'display' }),
    'spec.devices[0].class',
    /must be the beginning of a PCI class code/,
  ],
  'an address without its function': [
    withDevice({ address: '0000:65:00' }),
    'spec.devices[0].address',
    /fits no address/,
  ],
  'an address without its domain': [
    withDevice({ address: '65:00.0' }),
    'spec.devices[0].address',
    /fits no address; .*for example "0000:65:\*"/,
  ],
  'an address in upper case': [
    withDevice({ address: '0000:AF:00.0' }),
    'spec.devices[0].address',
    /"A" is in no address/,
  ],
  'a glob with a list of characters': [
    withDevice({ address: '0000:6[56]:*' }),
    'spec.devices[0].address',
    /"\[" is in no address; must be a PCI address .* \* stands for any text and \? for one character/,
  ],
  'a regular expression': [
    withDevice({ address: '^0000:.*$' }),
    'spec.devices[0].address',
    /"\^" is in no address/,
  ],
  'a slot with a function': [
    withDevice({ slot: '0000:65:00.0' }),
    'spec.devices[0].slot',
    /must be a slot: a PCI address without its function/,
  ],
  'a slot with device number 20': [
    withDevice({ slot: '0000:65:20' }),
    'spec.devices[0].slot',
    /must be a slot/,
  ],
  'a driver as a path': [
    withDevice({ driver: '/sys/bus/pci/drivers/nvidia' }),
    'spec.devices[0].driver',
    /must be the name of a driver/,
  ],
  'an empty driver': [
    withDevice({ driver: '' }),
    'spec.devices[0].driver',
    /must be the name of a driver/,
  ],
  'a physical function as a glob': [
    withDevice({ physicalFunction: '0000:3b:*' }),
    'spec.devices[0].physicalFunction',
    /is "0000:3b:\*"; must be a PCI address/,
  ],
  'a NUMA node below zero': [
    withDevice({ numaNode: -1 }),
    'spec.devices[0].numaNode',
    /is -1; must be a NUMA node, a whole number from 0 to 1023/,
  ],
  'a NUMA node as a text': [
    withDevice({ numaNode: '0' }),
    'spec.devices[0].numaNode',
    /is "0"; must be a NUMA node/,
  ],
};
