import type { Theme } from 'vitepress';
import theme from 'vitepress/theme';
import { onMounted } from 'vue';
import './site.css';

export default {
  extends: theme,
  setup() {
    // VitePress puts a button into the button that each title of the menu is: assistive technology cannot tell them apart.
    onMounted(() => {
      for (const arrow of document.querySelectorAll('.VPSidebarItem .caret')) {
        for (const name of ['role', 'tabindex', 'aria-label']) arrow.removeAttribute(name);
      }
    });
  },
} satisfies Theme;
