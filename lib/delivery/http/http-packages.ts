import type { AxiosStatic } from 'axios';

// Both are loaded when they are first needed: together they would be half of the time that the library takes to load.

/** Loads undici, with the first connection. */
export const loadUndici = () => require('undici') as typeof import('undici');

/** Loads axios, with the first instance. */
export const loadAxios = () => require('axios') as AxiosStatic;
