import type { Theme } from 'vitepress';
import theme from 'vitepress/theme';
import { defineComponent, h, onMounted } from 'vue';
import './site.css';

export default {
  extends: theme,
  Layout: defineComponent(() => {
    // VitePress puts a button into the button that each title of the menu is: assistive technology cannot tell them apart.
    onMounted(() => {
      for (const arrow of document.querySelectorAll('.VPSidebarItem .caret')) {
        for (const name of ['role', 'tabindex', 'aria-label']) arrow.removeAttribute(name);
      }
    });
    return () => h(theme.Layout);
  }),
} satisfies Theme;
